package flow

import (
	"context"
	"errors"
	"fmt"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
)

// beginning is where a partition without progress begins.
type beginning struct {
	frontier loop.Coordinate    // below it nothing is wanted; of leader epoch -1 where that is told by where it is read alone
	read     offsetxlate.Source // where it is read
	why      loop.GapReason     // nothing is wanted below it
}

// beginPart is for a partition without progress. It holds no record: precheck looked, and what came since lies before the marker.
func (l *life) beginPart(ctx context.Context, p *part, f *fenced) error {
	if f.strange > 0 && !p.Identity {
		return kafka.Because(kafka.ResumePointLost, p.Remote+" was written to while it was opened", "")
	}
	b, err := l.beginning(ctx, p)
	if err != nil {
		return err
	}
	start := offsetxlate.Source(b.frontier.Offset)
	p.setIncarnation(b.frontier.Incarnation)
	if before := (loop.Coordinate{Incarnation: b.frontier.Incarnation, Epoch: -1}); p.Identity { // of the topics that were there before nothing comes any more
		p.prog.Gaps = p.prog.Gaps.Add(loop.Gap{From: loop.Start, To: before, Why: loop.GapStart})
	}
	if to := b.frontier; p.Identity && to.Epoch >= 0 {
		p.prog.Gaps = p.prog.Gaps.Add(loop.Gap{From: loop.Start, To: to, Why: b.why})
	}
	p.moveTo(srcPlace{start, p.sieve.epoch(b.frontier.Epoch)}, 0, f.marker+1)
	read := srcPlace{b.read, -1}
	if !p.hub() {
		read.epoch = b.frontier.Epoch // what lies before it is of that leader, or of one before: a log that was cut off below is another
	}
	p.readFrom(read)
	p.forgetMap(l.stored.pages)
	p.xlate = offsetxlate.New(offsetxlate.Point{Src: start, Dst: f.marker + 1})
	if p.From >= 0 { // another tool copied what is before
		p.xlate = offsetxlate.NewUnknown(offsetxlate.Point{Src: start, Dst: f.marker + 1})
	}
	return nil
}

func (l *life) beginning(ctx context.Context, p *part) (beginning, error) {
	if !p.hub() {
		return p.src.beginning(ctx, p.Spec)
	}
	none := beginning{loop.Start, nowhere, loop.GapStart}
	switch {
	case p.FromEpoch >= 0:
		b := p.beginAt(p.From, p.FromEpoch, loop.GapTool)
		b.frontier.Incarnation, b.read = p.FromTopic, nowhere
		return b, nil
	case p.From >= 0 || !p.Start.Latest && p.Start.Time.IsZero():
		return none, nil
	case p.Start.Latest:
		return l.latestAtHub(ctx, p)
	}
	at, log, err := p.src.lookup(ctx, p.Spec)
	if err != nil {
		return none, err
	}
	read, err := p.src.atTime(ctx, p.Spec, at, log.End)
	return beginning{loop.Start, read, loop.GapStart}, err
}

// latestAtHub is behind all that a cluster has that is not the origin.
func (l *life) latestAtHub(ctx context.Context, p *part) (b beginning, err error) {
	err = p.held.fresh(ctx, l.shard.id.Number, func(h *checkpoint.Holdings) error {
		prog, known := h.Progress(p.Topic, p.Number)
		if !known {
			return kafka.Because(kafka.SourceUnreachable, fmt.Sprintf("cluster %s has nothing of %s yet, and so no end of it to begin at", p.Source, p.Key()), "")
		}
		b = beginning{prog.Frontier(), nowhere, loop.GapStart}
		return nil
	})
	return b, err
}

// lookup finds a partition at the source, and what it holds.
func (s *Source) lookup(ctx context.Context, spec Spec) (at kafka.Partition, log kafka.Bounds, err error) {
	at, ok := s.Dir.Get(spec.At, spec.Number)
	if !ok {
		return at, log, kafka.Because(kafka.SourceDeleted, "partition "+spec.Key()+" is not at the source", "")
	}
	log, err = s.Control.BoundsOf(ctx, at)
	return at, log, err
}

// beginning is where a partition without progress begins at its origin.
func (s *Source) beginning(ctx context.Context, spec Spec) (beginning, error) {
	if spec.From >= 0 && spec.From >= spec.Cut {
		return spec.beginAt(spec.From, spec.FromEpoch, loop.GapTool), nil
	}
	at, log, err := s.lookup(ctx, spec)
	switch {
	case err != nil:
		return beginning{}, err
	case spec.Cut > 0:
		epoch, err := s.Control.EpochFrom(ctx, at, int64(spec.Cut), log)
		return spec.beginAt(spec.Cut, epoch, loop.GapImport), err
	case spec.Start.Latest: // what comes there is of the leader epoch that is the last one now, or of a later one
		return spec.beginAt(offsetxlate.Source(log.End), log.Epoch, loop.GapStart), nil
	case spec.Start.Time.IsZero():
		return spec.beginAt(offsetxlate.Source(log.Start), -1, loop.GapStart), nil
	}
	x, err := s.atTime(ctx, spec, at, log.End)
	return spec.beginAt(x, -1, loop.GapStart), err
}

func (s Spec) beginAt(x offsetxlate.Source, epoch int32, why loop.GapReason) beginning {
	return beginning{loop.Coordinate{Incarnation: max(0, s.Incarnation), Epoch: epoch, Offset: int64(x)}, x, why}
}

// atTime is the first offset of a record that is not older than the start that was asked for.
func (s *Source) atTime(ctx context.Context, spec Spec, at kafka.Partition, end int64) (offsetxlate.Source, error) {
	found, err := s.Control.Offsets(ctx, []kafka.Partition{at}, spec.Start.Time.UnixMilli())
	if err = errors.Join(err, first(found).Err); err != nil {
		return 0, fmt.Errorf("finding the offset at %s: %w", spec.Start.Time, err)
	}
	if found[0].At < 0 {
		return offsetxlate.Source(end), nil // no record is that young
	}
	return offsetxlate.Source(found[0].At), nil
}

// untouched says whether nothing came yet, so that next is where the part began.
func (p *part) untouched(next loop.Coordinate) bool {
	last := len(p.prog.Gaps) - 1
	return (last < 0 || !p.begun().Less(p.prog.Gaps[last].To)) && (next.Offset == 0 || p.Identity && next.Epoch < 0)
}

// noteStart notes, when the first record of all comes, that nothing of what is before it will: who reads here has to know.
func (p *part) noteStart(first srcRun) {
	if p.Identity && first.source > 0 && p.untouched(p.frontier(p.assigned)) {
		to := loop.Coordinate{Incarnation: p.prog.Incarnation, Epoch: first.epoch, Offset: int64(first.source)}
		p.prog.Gaps = p.prog.Gaps.Add(loop.Gap{From: p.begun(), To: to, Why: loop.GapStart})
	}
}

// begun is where the topic that is copied now begins.
func (p *part) begun() loop.Coordinate {
	return loop.Coordinate{Incarnation: p.prog.Incarnation, Epoch: -1}
}
