package flow

import (
	"errors"
	"fmt"
	"time"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/kafka/batch"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
	"github.com/meshd/meshd/topology"
)

// ruledError says that a part can't go on, or not yet, at a place that was judged.
type ruledError struct {
	loop.Ruling
	at   int64
	turn bool // a later incarnation begins there, at the coordinate of the ruling
}

func (e *ruledError) Error() string {
	return fmt.Sprintf("source offset %d: %s", e.at, e.Why)
}

// sifting looks at the records of one batch.
type sifting struct {
	*sieve
	of     loop.Batch
	v      loop.Ruling
	runs   []srcRun
	last   loop.Coordinate
	header []byte
}

// sift adds what is wanted of a batch whose records must be looked at, each with the header that says where it comes from.
func (p *prepared) sift(b batch.Batch, v loop.Ruling, rec *recoder) error {
	s := &sifting{sieve: p.sieve, of: batchOf(b, p.sieve.first(b, p.fetched)), v: v}
	whole, err := s.open(b, p.next, rec)
	if whole {
		p.copied++
		p.put(b, b, false, s.runs)
		p.sieve.took(s.last)
		return nil
	}
	if err == nil {
		err = p.stamp(s, b, rec)
	}
	if _, ruled := errors.AsType[*ruledError](err); err != nil && !ruled {
		return fmt.Errorf("looking at the records of the batch at offset %d: %w", b.BaseOffset(), err)
	}
	return err
}

// stamp builds what is wanted. Where a record is not let pass, what is before it goes all the same.
func (p *prepared) stamp(s *sifting, b batch.Batch, rec *recoder) error {
	pieces, err := rec.stampOpen(b, int64(p.next), s.see)
	ruled, isRuled := errors.AsType[*ruledError](err)
	if err != nil && !isRuled {
		return err
	}
	end := offsetxlate.Source(b.NextOffset())
	if isRuled {
		end = offsetxlate.Source(ruled.at)
	}
	for i, piece := range pieces {
		var mine []srcRun
		mine, s.runs = splitRuns(s.runs, piece.data.Count())
		p.recoded++
		p.put(b, piece.data, true, mine)
		if c := p.chunks[len(p.chunks)-1]; i < len(pieces)-1 {
			last := piece.runs[len(piece.runs)-1]
			c.next = last.source + offsetxlate.Source(last.count)
		} else {
			c.next = end
		}
	}
	if isRuled && end > p.next {
		p.next, p.epoch, p.prior = end, epochOf(b), epochOf(b)
	}
	return err
}

// open opens a batch, and says whether all of its records are wanted as they are, as its first and its last one show: a writer's records
// rise.
func (s *sifting) open(b batch.Batch, from offsetxlate.Source, rec *recoder) (whole bool, err error) {
	if s.v.Why != loop.Carried || offsetxlate.Source(b.BaseOffset()) < from || batch.CopyReason(b) != batch.Copy {
		return false, rec.open(b)
	}
	first, last, err := rec.ends(b)
	if err != nil {
		return false, err
	}
	x, y := s.record(first), s.record(last)
	if s.turns(x) || s.turns(y) {
		return false, nil
	}
	if v := s.judge.Span(x, y); v.Act != loop.Deliver || x.At.Epoch != y.At.Epoch || y.At.Offset-x.At.Offset != int64(b.Count())-1 {
		return false, nil
	}
	s.counts.Count(y, b.Count())
	s.note(x.At, b.Count())
	s.last = y.At
	return true, nil
}

func (s *sifting) record(r batch.Record) loop.Ruling {
	header, stamped := r.LastHeader(loop.HeaderKey)
	return s.judge.Record(s.of, s.v, r.Offset, header, stamped)
}

// see judges one record, and gives its header where it gets a fresh one.
func (s *sifting) see(offset int64, header []byte, stamped bool) (take bool, value []byte, err error) {
	v := s.judge.Record(s.of, s.v, offset, header, stamped)
	if s.turns(v) {
		return false, nil, &ruledError{loop.Ruling{Act: loop.Wait, At: loop.Coordinate{Incarnation: v.At.Incarnation, Epoch: -1}}, offset, true}
	}
	s.counts.Count(v, 1)
	switch v.Act {
	case loop.Deliver:
	case loop.Stamp:
		s.stamped++
		s.header = loop.AppendHeader(s.header[:0], s.judge.Origins.ID(s.origin), s.judge.Topic, s.judge.Number, v.At)
		value = s.header
	case loop.Suppress:
		return false, nil, nil
	default:
		return false, nil, &ruledError{v, offset, false}
	}
	s.note(v.At, 1)
	s.took(v.At)
	return true, value, nil
}

// turns says whether a record is of a later incarnation than those before it.
func (s *sieve) turns(v loop.Ruling) bool {
	return (v.Act == loop.Deliver || v.Why == loop.AtGap) && v.At.Incarnation > s.incarnation
}

// note adds n records from a coordinate on to the runs.
func (s *sifting) note(at loop.Coordinate, n int32) {
	r := srcRun{offsetxlate.Source(at.Offset), n, at.Epoch}
	if i := len(s.runs) - 1; i >= 0 && s.runs[i].goesOn(r) {
		s.runs[i].count += n
		return
	}
	s.runs = append(s.runs, r)
}

// registryRead is called when the source's registry was read, or could not be.
func (p *part) registryRead(err error) {
	p.mu.Lock()
	if err != nil && p.mayPump() {
		p.stop(Backoff, kafka.Explain(err, kafka.SourceUnreachable))
		p.retryAt = time.Time{} // the reading itself is not tried again at once
	}
	p.mu.Unlock()
	p.goOn()
}

// ruled does what a ruling asks for that lets a batch not pass, and says whether the part stands still for it.
func (p *part) ruled(e *ruledError) (stands bool) {
	switch {
	case e.turn:
		p.turnAt(e.At)
	case e.Why == loop.Barrier:
		p.awaits = true
		p.owner.needRegistry(p)
	case e.Why == loop.Uncovered && e.Act == loop.Wait:
		p.awaits = true
		if len(p.sieve.places.asked) > 0 {
			return p.askPlaces()
		}
		p.owner.needMap(p)
	case e.Why == loop.GapBarrier:
		p.awaits = true
		p.owner.needGaps(p)
	case e.Why == loop.AtGap:
		p.atGap(e.At)
	default:
		r := reasonOf(e)
		if e.Why == loop.LostRegistry && p.sieve.places.seen.There {
			r.Text += ": " + p.sieve.places.seen.Say()
		}
		p.stop(Failed, r)
		if e.Why == loop.LostRegistry || e.Why == loop.TwoOrigins {
			p.src.registered.ask(p.src.aside, func(error) {}) // it may have been rebuilt when this is tried again
		}
	}
	return !p.awaits
}

const rebuildHint = "meshd registry rebuild --at that cluster brings back what can be proven; see docs/OPERATIONS.md, a lost registry"

// untoldReason says for what a part waits that can't know who wrote a record.
func untoldReason(at topology.Alias, u untold) kafka.Reason {
	return kafka.Because(kafka.OriginUnknown, fmt.Sprintf("whether an application wrote the record at source offset %d is not told by what meshd notes at cluster %s: %s", u.at, at, u.noted.Say()),
		"it goes on once the map tells: do the nodes of that cluster's datacenter run? Where the map lies behind it, it was thinned: raise offset_map.max_bytes_per_partition; where the registry there was lost: "+rebuildHint)
}

// reasonOf says a ruling in words.
func reasonOf(e *ruledError) kafka.Reason {
	switch e.Why {
	case loop.LostRegistry:
		return kafka.Because(kafka.RegistryLost, fmt.Sprintf("source offset %d: the registry of writers there does not prove where records came from", e.at), rebuildHint)
	case loop.TwoOrigins:
		return kafka.Because(kafka.RegistryLost, "the source's registry of writers has one producer id for two origins", rebuildHint)
	case loop.Uncovered:
		return kafka.Because(kafka.OriginUnknown, fmt.Sprintf("the map that the source keeps does not say any more where the record at offset %d lies at its origin", e.at),
			"raise offset_map.max_bytes_per_partition, or read it from its origin")
	case loop.OldFormat:
		return kafka.Because(kafka.OldFormat, fmt.Sprintf("the batch at source offset %d is of a message format below v2, which does not say who wrote it", e.at),
			"let the source rewrite it, or use naming: prefix for this topic")
	case loop.FutureHeader:
		return kafka.Because(kafka.OriginUnknown, fmt.Sprintf("the record at source offset %d was stamped by a newer meshd", e.at), "bring this node to the newest version of the mesh")
	case loop.ThirdCluster:
		return kafka.Because(kafka.OriginUnknown, fmt.Sprintf("the batch at source offset %d comes from a third cluster", e.at), "provenance: batch is for two clusters: use provenance: headers")
	default:
		return kafka.Because(kafka.OriginUnknown, fmt.Sprintf("the record at source offset %d does not say rightly where it came from: %s", e.at, e.Why),
			"a writer of meshd's wrote it: report this, with meshd explain record")
	}
}
