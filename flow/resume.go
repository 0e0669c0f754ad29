package flow

import (
	"context"
	"fmt"
	"time"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/offsetxlate"
	"github.com/meshd/meshd/topology"
)

// openPart finds where the partition goes on.
func (l *life) openPart(ctx context.Context, at kafka.Partition, o *opening) (*part, error) {
	if o.err != nil {
		return nil, o.err
	}
	p := l.newPart(at, o.spec)
	if o.found != nil && o.found.count > 0 {
		return p, l.goOnAsFound(ctx, p, o)
	}
	if !o.known {
		return p, l.beginPart(ctx, p, o.fence)
	}
	p.setIncarnation(o.prog.Incarnation)
	err := l.goOnPart(p, o)
	if err == nil && p.laterThan(p.prog) { // not only since progress was written: the copy may have lost what came since
		err = l.beginAgain(ctx, p, o.prog)
	}
	return p, err
}

// goOnAsFound goes on with what the log says of itself.
func (l *life) goOnAsFound(ctx context.Context, p *part, o *opening) error {
	prog := checkpoint.Progress{DstID: p.prog.DstID, Incarnation: o.found.next.Incarnation}
	if r, other := otherTopic(o.spec, prog, kafka.Partition{TopicID: prog.DstID}, l.dst.Alias); other {
		return r
	}
	err := l.rebuildPart(p, o.found, o.fence)
	if err == nil && o.spec.laterThan(prog) {
		err = l.beginAgain(ctx, p, prog)
	}
	return err
}

// goOnPart finds where a partition with progress goes on.
func (l *life) goOnPart(p *part, o *opening) error {
	switch {
	case diverged(o.prog, o.fence):
		return l.recoverPart(p, o)
	case o.fence.start > o.prog.Dest:
		if err := closeGap(&o.prog, o.fence, o.count); err != nil {
			return err
		}
	}
	return l.resumePart(p, o.prog, o.fence)
}

// otherTopic says of a topic that it is not the one of which progress speaks, if so; at is where it lies at the destination.
func otherTopic(spec Spec, prog checkpoint.Progress, at kafka.Partition, destination topology.Alias) (kafka.Reason, bool) {
	hint := fmt.Sprintf("what arrived stays; exclude %s from the link to settle this, and give a topic that is to be copied from its beginning another name", spec.Topic)
	switch {
	case prog.DstID != at.TopicID:
		return kafka.Because(kafka.DestinationRecreated, fmt.Sprintf("topic %s was deleted and made again since meshd wrote to it", spec.Remote),
			fmt.Sprintf("meshd accept %s --at %s --topology FILE has it filled anew, from the beginning; or exclude %s from the link", spec.Remote, destination, spec.Topic)), true
	case spec.hub() || spec.laterThan(prog):
	case spec.Incarnation != unlisted && spec.Incarnation < prog.Incarnation:
		return kafka.Because(kafka.SourceRecreated, fmt.Sprintf("records of incarnation %d of topic %s have arrived, but the registry of %s says that it has incarnation %d",
			prog.Incarnation, spec.Topic, spec.Origin, spec.Incarnation), hint), true
	case prog.SrcID != ([16]byte{}) && prog.SrcID != spec.SourceID:
		return recreated(spec.Topic, spec.Origin), true
	}
	return kafka.Reason{}, false
}

func (l *life) newPart(at kafka.Partition, spec Spec) *part {
	p := &part{
		Spec: spec, sieve: l.sieve(spec), owner: l.shard, id: l.id, budget: l.env.budget, state: Opening, behind: true, lastEpoch: -1, unnoted: nothingUnnoted,
		mapBytes: l.env.mapBytes, memory: l.dst.Memory().Producer, youngest: time.Now().UnixMilli(), // of the fence's marker
		prog: checkpoint.Progress{Owner: l.id, SrcID: originTopic(spec, checkpoint.Progress{}), DstID: at.TopicID, SourceEpoch: -1, DestEpoch: at.LeaderEpoch},
	}
	p.setIncarnation(max(0, spec.Incarnation))
	p.outlet = l.dst.Producer.Outlet(spec.Remote, spec.Number, p.onAck, p.stuck)
	p.outlet.id, p.outlet.guard = at.TopicID, p.mayGo
	return p
}

// originTopic is the id of the topic at the origin, as far as it is known: where the records are read elsewhere, from before.
func originTopic(spec Spec, before checkpoint.Progress) [16]byte {
	if spec.hub() {
		return before.SrcID
	}
	return spec.SourceID
}

// inherit takes over what stays as it was, whoever writes.
func (p *part) inherit(prog checkpoint.Progress) {
	p.prog.SrcID = originTopic(p.Spec, prog)
	p.prog.Gaps = prog.Gaps
}

// resumePart goes on where the epoch of the stored progress ended: the batches behind its place say how far that is.
func (l *life) resumePart(p *part, prog checkpoint.Progress, f *fenced) error {
	p.stats.Zombie += f.zombie // it wrote what progress' owner had written, or was to
	if !p.Identity {
		p.stats.Foreign += f.strange
	}
	next, count, copied, err := prog.Resume(f.tail)
	if err != nil {
		return kafka.Because(kafka.ResumePointLost, err.Error(), "report this: acknowledged records are gone, or something else used meshd's transactional id")
	}
	if err := l.resumeMap(p, prog, f, next, copied); err != nil {
		return err
	}
	p.prog.SourceEnd, p.prog.SeenAt = prog.SourceEnd, prog.SeenAt
	written := count
	if prog.Owner != l.id {
		written = 0 // a new epoch counts from 0
	}
	p.inherit(prog)
	p.moveTo(srcPlace{next, prog.RunOf(count).Epoch}, written, f.marker+1)
	if sent := l.stored.sent[p.Key()]; prog.Owner == l.id && sent > written {
		p.standBy(prog, sent)
	}
	p.readFrom(resumeRead(prog, p.Spec, next, count))
	return nil
}

// resumeMap takes the map that is stored and completes it: copied is what the log holds behind progress' place, and next what is lacking.
func (l *life) resumeMap(p *part, prog checkpoint.Progress, f *fenced, next offsetxlate.Source, copied []checkpoint.Copied) (err error) {
	if p.xlate, err = l.stored.pages.Map(p.mapKey()); err != nil {
		return err
	}
	if p.xlate == nil {
		p.xlate = offsetxlate.NewUnknown(offsetxlate.Point{Src: prog.Source, Dst: prog.Dest})
	}
	p.mark = p.xlate.Mark()
	if end := endOf(copied, prog.Dest); p.xlate.End().Src > next && p.xlate.End().Dst > end { // stored later than the place, of what was lost since
		if !p.xlate.TruncateDest(end) {
			return lostBehind(p.Remote, end)
		}
		p.mark = 0 // all of it, for what is stored goes further
	}
	err = complete(p.xlate, copied, f.start)
	if err == nil && p.xlate.End().Src > next && !p.xlate.TruncateSource(next) { // markers that are read again, or what the source took back
		err = forgetting(next)
	}
	if err == nil { // nothing of this origin lies between the last record and the marker
		err = p.xlate.AdvanceDest(f.marker + 1)
	}
	if err != nil {
		return fmt.Errorf("completing the offset map of %s: %w", p.Key(), err)
	}
	return nil
}

// resumeRead is where the source is read on behind the first written records of progress' epoch, the next of which is at next at its origin.
func resumeRead(prog checkpoint.Progress, spec Spec, next offsetxlate.Source, written int64) srcPlace {
	same := prog.Read.Cluster == spec.Source && prog.Read.TopicID == spec.readID()
	switch {
	case spec.hub() && same:
		return srcPlace{offsetxlate.Source(prog.Read.At), prog.Read.Epoch}
	case spec.hub():
		return srcPlace{nowhere, -1}
	case same && prog.Read.At == int64(next):
		return srcPlace{next, prog.Read.Epoch}
	case written > 0 && prog.SourceOf(written-1)+1 == next:
		return srcPlace{next, prog.RunOf(written - 1).Epoch}
	case spec.Identity: // a log that lost what was settled here must not be taken for the same
		return srcPlace{next, prog.RunOf(written).Epoch}
	}
	return srcPlace{next, -1}
}

func endOf(copied []checkpoint.Copied, place offsetxlate.Dest) offsetxlate.Dest {
	if len(copied) == 0 {
		return place
	}
	last := copied[len(copied)-1]
	return last.Dest + offsetxlate.Dest(last.Count)
}

// complete adds to a map what the tail of the log holds beyond it. Where that lay which is not in the log any more, below start, is not known
// well.
func complete(m *offsetxlate.Map, copied []checkpoint.Copied, start offsetxlate.Dest) error {
	for _, c := range copied {
		if c.Dest >= m.End().Dst && c.Source < m.End().Src && !m.TruncateSource(c.Source) { // the source took back what lay there
			return forgetting(c.Source)
		}
		skip := max(0, min(c.Count, int64(m.End().Src-c.Source)))
		if skip == c.Count {
			continue
		}
		to := c.Dest + offsetxlate.Dest(skip)
		if to < start {
			to = max(to, m.End().Dst)
		}
		if err := m.Append(c.Source+offsetxlate.Source(skip), to, c.Count-skip); err != nil {
			return err
		}
	}
	return nil
}

func forgetting(from offsetxlate.Source) error {
	return fmt.Errorf("forgetting what the source lost from offset %d on: %w", from, offsetxlate.ErrBackwards)
}

// standBy keeps what was noted of batches that were sent in this epoch before, and have not arrived yet.
func (p *part) standBy(noted checkpoint.Progress, sent int64) {
	p.sent = sent
	for _, r := range noted.Ahead {
		if p.written < r.Written && r.Written < sent {
			p.prog.Ahead = append(p.prog.Ahead, r)
		}
	}
}

// moveTo sets the place of a part that is not running: where the origin's records go on, and the leader epoch of the last one before. Where it
// reads is set by readFrom.
func (p *part) moveTo(src srcPlace, written int64, dest offsetxlate.Dest) {
	p.dest = dest
	p.written, p.assigned = written, written
	p.prog.Written, p.prog.Source, p.prog.SourceEpoch, p.prog.Dest, p.prog.Ahead = written, src.next, src.epoch, dest, nil
	p.sieve.goBack(p.prog.Frontier())
	p.dirty = true
}

// readFrom sets where a part that is not running reads.
func (p *part) readFrom(at srcPlace) {
	p.at, p.lastEpoch, p.passed = at.next, at.epoch, at
}
