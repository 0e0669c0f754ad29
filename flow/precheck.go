package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
)

// precheck finds what can't be opened before it is fenced: of partitions that were deleted and made again, and of those that hold records
// of which progress knows nothing.
func (l *life) precheck(ctx context.Context, todo map[kafka.Partition]*opening) {
	ctx, cancel := context.WithTimeout(ctx, fencePatience)
	defer cancel()
	var fresh []kafka.Partition
	for at, o := range todo {
		o.anew = o.known && o.prog.DstID != at.TopicID && o.spec.Anew == checkpoint.TopicID(at.TopicID)
		o.known = o.known && !o.anew
		switch {
		case o.known:
			if r, other := otherTopic(o.spec, o.prog, at, l.dst.Alias); other {
				o.err = cmp.Or(l.renamed(o, at), error(r))
			}
		case !o.spec.Identity:
			fresh = append(fresh, at)
		case !o.anew:
			o.lost, o.err = l.lostProgress(o.spec)
			o.doubt = l.unheard || o.spec.Doubt
		}
	}
	sortPartitions(fresh)
	for i, held := range l.fence.holdData(ctx, fresh) {
		o := todo[fresh[i]]
		if o.err = held.err; held.data && o.spec.From < 0 {
			o.err = kafka.Because(kafka.ResumePointLost, fmt.Sprintf("%s holds records, but %s knows nothing of them", fresh[i], l.progress.outlet.topic),
				fmt.Sprintf("if the progress topic was lost, delete %s and make it again, empty and with as many partitions: it is copied anew then", o.spec.Remote))
		}
	}
}

// renamed says, if so, that what came before is in a topic of another name, which is there still.
func (l *life) renamed(o *opening, at kafka.Partition) error {
	if o.prog.DstID == at.TopicID {
		return nil
	}
	topics, _ := l.dst.Dir.Topics()
	for name, ps := range topics {
		if len(ps) > 0 && ps[0].TopicID == o.prog.DstID && name != at.Topic {
			return kafka.Because(kafka.Unclaimed, fmt.Sprintf("what came of topic %s from %s is in %s, and now it is to go to %s", o.spec.Topic, o.spec.Origin, name, at.Topic),
				fmt.Sprintf("set naming and separator of the link to what they were: a topic keeps its naming; or exclude %s from the link", o.spec.Topic))
		}
	}
	return nil
}

var errNoHeaders = errors.New("with provenance: batch no record says where it comes from")

// lostProgress says of a partition without progress, in which others write too, whether it had some: it is known to be lost, or a map is there
// of more than the beginning, which is written before the first progress is.
func (l *life) lostProgress(spec Spec) (bool, error) {
	lost := spec.Lost || l.stored.pages.Copied(spec.Key())
	if lost && spec.Provenance == loop.Batches {
		return lost, notesLost(spec, l.progress.outlet.topic, errNoHeaders)
	}
	return lost, nil
}

// remember asks leaders how much progress' owner has written, where the log does not reach back to progress' place. Behind the fence they
// have forgotten it: what could not be asked of is not fenced yet.
func (l *life) remember(ctx context.Context, ps []kafka.Partition, todo map[kafka.Partition]*opening) (asked []kafka.Partition) {
	for i, log := range l.fence.bounds(ctx, ps) {
		at, o := ps[i], todo[ps[i]]
		if o.known {
			o.err = cmp.Or(log.Err, l.count(ctx, at, o, log.Start))
		}
		if o.known && o.err == nil && o.spec.Identity && log.End-int64(o.prog.Dest) > muchOfOthers {
			o.err = l.lookForOwn(ctx, at, o, offsetxlate.Dest(log.End))
		}
		if o.err == nil {
			asked = append(asked, at)
		}
	}
	return asked
}

func (l *life) count(ctx context.Context, at kafka.Partition, o *opening, start int64) error {
	if start <= int64(o.prog.Dest) {
		return nil
	}
	seq, known, err := l.dst.Control.LastSequence(ctx, at, o.prog.Owner)
	switch {
	case err == nil && known:
		o.count = o.prog.Unwrap(sequence(int64(seq) + 1))
	case kafka.Classify(err) == kafka.Unreachable || kafka.Classify(err) == kafka.Moved:
		return err
	}
	return nil // brokers before 2.8 can't be asked
}

// muchOfOthers is how much may lie behind progress' place before it is asked whether any of it is this writer's.
const muchOfOthers = 1000

// lookForOwn asks the leader, which remembers the last sequence of progress' owner, whether all that lies behind progress' place up to an end
// that was asked for before was written by others. Then it need not be read: with one name everywhere that may be what a cluster's
// applications wrote in hours.
func (l *life) lookForOwn(ctx context.Context, at kafka.Partition, o *opening, end offsetxlate.Dest) error {
	seq, known, err := l.dst.Control.LastSequence(ctx, at, o.prog.Owner)
	last := int32(-1)
	if o.prog.Written > 0 {
		last = sequence(o.prog.Written - 1)
	}
	switch {
	case err == nil && known && seq == last:
		o.others = end
	case kafka.Classify(err) == kafka.Unreachable || kafka.Classify(err) == kafka.Moved:
		return err
	}
	return nil // it is read
}

// holding says whether a partition holds any record.
type holding struct {
	data bool
	err  error
}

func (f *fence) holdData(ctx context.Context, ps []kafka.Partition) []holding {
	out := make([]holding, len(ps))
	if len(ps) == 0 {
		return out
	}
	for i, at := range f.bounds(ctx, ps) {
		if out[i].err = at.Err; at.Err == nil && at.Start < at.End {
			out[i] = f.holdsData(ctx, ps[i], offsetxlate.Dest(at.Start), offsetxlate.Dest(at.End))
		}
	}
	return out
}

func (f *fence) holdsData(ctx context.Context, at kafka.Partition, start, end offsetxlate.Dest) (h holding) {
	h.err = f.scan(ctx, at, start, end, func(b foreign) bool {
		h.data = !b.control
		return !h.data
	})
	return h
}

func first(os []kafka.Offset) kafka.Offset {
	if len(os) == 0 {
		return kafka.Offset{}
	}
	return os[0]
}
