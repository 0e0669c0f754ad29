package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/offsetxlate"
)

// closeUnwanted ends the parts that the shard has no more, or has in another form. What they leave is kept for the case that
// they come back in this epoch. One that can't be closed in peace is ended with the epoch.
func (l *life) closeUnwanted(ctx context.Context) error {
	l.mu.Lock()
	var gone []*part
	for key, p := range l.parts {
		if spec, ok := l.want[key]; !ok || spec != p.Spec {
			gone = append(gone, p)
		}
	}
	l.mu.Unlock()
	for _, p := range gone {
		l.src.Fetcher.remove(p)
		if err := l.closePart(ctx, p); err != nil {
			return fmt.Errorf("closing %s: %w", p.Key(), err)
		}
		l.forget(p)
	}
	return nil
}

func (l *life) closePart(ctx context.Context, p *part) error {
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	if err := p.settle(ctx); err != nil {
		return err
	}
	if err := l.saveParts(ctx, []*part{p}); err != nil {
		return err
	}
	l.stored.keep(p)
	p.halt()
	return nil
}

// openWanted has the partitions that the shard has newly been given fenced, and opened then. What fails is set apart with its reason, and
// tried again after a while; the others go on.
func (l *life) openWanted(ctx context.Context) {
	if l.beside.busy {
		return
	}
	l.mu.Lock()
	todo := map[kafka.Partition]*opening{}
	for key, spec := range l.want {
		if l.parts[key] == nil && l.due(key, spec) {
			l.place(todo, key, spec)
		}
	}
	l.mu.Unlock()
	if len(todo) == 0 {
		return
	}
	for _, o := range todo {
		o.prog, o.known = l.stored.progress[o.spec.Key()]
	}
	l.aside(ctx, func(ctx context.Context) func(context.Context) error {
		l.fenceAll(ctx, todo)
		return func(ctx context.Context) error { return l.openAll(ctx, todo) }
	})
}

// opening is a partition on the way to being open.
type opening struct {
	spec  Spec
	prog  checkpoint.Progress
	known bool    // there is progress
	fence *fenced // nil: it was found before that it can't be opened
	count int64   // of records that progress' owner had written, as the leader remembered before the fence; -1: unknown
	err   error
}

// fenceAll fences what can be opened, as far as that is plain before: a fence leaves a marker in a log each time.
func (l *life) fenceAll(ctx context.Context, todo map[kafka.Partition]*opening) {
	ps, from := make([]kafka.Partition, 0, len(todo)), map[kafka.Partition]reach{}
	l.precheck(ctx, todo)
	for at, o := range todo {
		if o.err != nil {
			continue
		}
		ps = append(ps, at)
		if o.known {
			from[at] = reach{o.prog.Dest, o.prog.Owner, l.idsWith(o.prog)}
		}
	}
	if len(ps) == 0 {
		return
	}
	sortPartitions(ps)
	if ps = l.remember(ctx, ps, todo); len(ps) == 0 {
		return
	}
	old := l.fenceOld(ctx, ps) // first: what it wrote then lies before the own marker
	for at, f := range l.fence.raise(ctx, ps, from) {
		o := todo[at]
		if o.fence, o.err = f, cmp.Or(old[at], f.err); o.err == nil && o.known && diverged(o.prog, f) {
			o.err = l.fence.lastOwn(ctx, at, f)
		}
	}
}

// idsWith are the ids by which this writer is known, and that by which it wrote progress.
func (l *life) idsWith(prog checkpoint.Progress) map[int64]bool {
	ids := maps.Clone(l.ids)
	ids[prog.Owner.ID] = true
	return ids
}

// again says when a partition that did not open is tried the next time.
type again struct {
	spec  Spec
	at    time.Time
	tries int
}

// due says whether a partition may be tried now: never failed, waited long enough, or given anew in another form.
func (l *life) due(key string, spec Spec) bool {
	a, ok := l.later[key]
	return !ok || a.spec != spec || !time.Now().Before(a.at)
}

const blockMost = 15 * time.Second

// block sets a partition apart, from one second on up to blockMost.
func (l *life) block(key string, spec Spec, err error) {
	a := l.later[key]
	if a.spec != spec {
		a = again{spec: spec}
	}
	if !errors.Is(err, errStillReading) { // that one goes on where it was
		a.at, a.tries = time.Now().Add(min(time.Second<<min(a.tries, 4), blockMost)), a.tries+1
	}
	l.later[key] = a
	l.mu.Lock()
	l.blocked[key] = openReason(err)
	l.mu.Unlock()
}

// precheck finds what can't be opened before it is fenced: of partitions that were deleted and made again, and of those that hold records
// of which progress knows nothing.
func (l *life) precheck(ctx context.Context, todo map[kafka.Partition]*opening) {
	ctx, cancel := context.WithTimeout(ctx, fencePatience)
	defer cancel()
	var fresh []kafka.Partition
	for at, o := range todo {
		if !o.known {
			fresh = append(fresh, at)
		} else if r, ok := otherTopic(o.spec, o.prog, at); ok {
			o.err = r
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

// remember asks leaders how much progress' owner has written, where the log does not reach back to progress' place. Behind the fence they
// have forgotten it: what could not be asked of is not fenced yet.
func (l *life) remember(ctx context.Context, ps []kafka.Partition, todo map[kafka.Partition]*opening) (asked []kafka.Partition) {
	starts, err := l.dst.Control.Offsets(ctx, ps, kafka.Start)
	for i, at := range ps {
		o := todo[at]
		if o.known {
			if o.err = err; err == nil {
				o.err = cmp.Or(starts[i].Err, l.count(ctx, at, o, starts[i].At))
			}
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

// place finds where a wanted partition lies; it is called with the lock held.
func (l *life) place(todo map[kafka.Partition]*opening, key string, spec Spec) {
	at, ok := l.dst.Dir.Get(spec.Remote, spec.Number)
	switch {
	case !ok:
		l.blocked[key] = kafka.Because(kafka.DestinationMissing, fmt.Sprintf("partition %d of %s is not there yet", spec.Number, spec.Remote),
			"it comes by itself, unless sync.partitions is off: then add it at the destination")
		l.dst.Dir.Stale()
	case at.Leader < 0:
		l.blocked[key] = kafka.Because(kafka.NoLeader, fmt.Sprintf("%s has no leader at the destination", at), "start the brokers that hold it")
		l.dst.Dir.Stale()
	default:
		todo[at] = &opening{spec: spec, count: -1}
	}
}

// openAll makes the parts whose fence is up, and notes in the progress topic what their sequences mean from now on. Only then
// may they fetch and send.
func (l *life) openAll(ctx context.Context, todo map[kafka.Partition]*opening) error {
	var opened []*part
	for at, o := range todo {
		if !l.wanted(o.spec) {
			continue // not any more
		}
		p, err := l.openPart(ctx, at, o)
		switch {
		case err == nil:
			opened = append(opened, p)
		case kafka.Classify(err) == kafka.Fenced:
			return err
		default:
			l.block(o.spec.Key(), o.spec, err)
		}
	}
	if len(opened) < len(todo) {
		if err := l.outdone(ctx); err != nil {
			return err
		}
	}
	return l.beginAll(ctx, opened)
}

func (l *life) wanted(spec Spec) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.want[spec.Key()] == spec
}

// outdone looks whether somebody has taken the shard since: what is found in a log may be that one's work.
func (l *life) outdone(ctx context.Context) error {
	_ = l.dst.Writers.check(ctx) // a registry that can't be read is told elsewhere; what was known before still holds
	return l.ousted()
}

func (l *life) beginAll(ctx context.Context, opened []*part) error {
	if err := l.saveParts(ctx, opened); err != nil {
		return err
	}
	for _, p := range opened {
		l.mu.Lock()
		l.parts[p.Key()] = p
		delete(l.blocked, p.Key())
		l.mu.Unlock()
		delete(l.later, p.Key())
		p.begin()
		l.src.Fetcher.add(p)
	}
	return nil
}

func openReason(err error) kafka.Reason {
	r := kafka.Explain(err, kafka.NotFenced)
	if r.Hint == "" {
		r.Hint = "it is tried again; if it stays, see the logs of the destination's brokers that lead this partition and meshd's transactional id"
	}
	return r
}

// openPart finds where the partition goes on.
func (l *life) openPart(ctx context.Context, at kafka.Partition, o *opening) (*part, error) {
	if o.err != nil {
		return nil, o.err
	}
	p := l.newPart(at, o.spec)
	if !o.known {
		return p, l.beginPart(ctx, p, o.fence)
	}
	switch {
	case diverged(o.prog, o.fence):
		return p, l.recoverPart(p, o.prog, o.fence)
	case o.fence.start > o.prog.Dest:
		if err := closeGap(&o.prog, o.fence, o.count); err != nil {
			return nil, err
		}
	}
	return p, l.resumePart(p, o.prog, o.fence)
}

func otherTopic(spec Spec, prog checkpoint.Progress, at kafka.Partition) (kafka.Reason, bool) {
	hint := fmt.Sprintf("what arrived stays; exclude %s from the link to settle this, and give a topic that is to be copied from its beginning another name", spec.Topic)
	switch {
	case prog.DstID != at.TopicID:
		return kafka.Because(kafka.DestinationRecreated, fmt.Sprintf("topic %s was deleted and made again since meshd wrote to it", spec.Remote), hint), true
	case prog.SrcID != spec.SourceID:
		return kafka.Because(kafka.SourceRecreated, fmt.Sprintf("topic %s was deleted and made again at the source", spec.Topic), hint), true
	}
	return kafka.Reason{}, false
}

func (l *life) newPart(at kafka.Partition, spec Spec) *part {
	p := &part{
		Spec: spec, owner: l.shard, id: l.id, budget: l.env.budget, state: Opening, behind: true, lastEpoch: -1, unnoted: nothingUnnoted,
		mapBytes: l.env.mapBytes, memory: l.dst.Memory().Producer, youngest: time.Now().UnixMilli(), // of the fence's marker
		prog: checkpoint.Progress{Owner: l.id, SrcID: spec.SourceID, DstID: at.TopicID, SourceEpoch: -1, DestEpoch: at.LeaderEpoch},
	}
	p.outlet = l.dst.Producer.Outlet(spec.Remote, spec.Number, p.onAck, p.stuck)
	p.outlet.id, p.outlet.guard = at.TopicID, p.mayGo
	return p
}

// beginPart is for a partition without progress. It holds no record: precheck looked, and what came since lies before the marker.
func (l *life) beginPart(ctx context.Context, p *part, f *fenced) error {
	if f.strange > 0 {
		return kafka.Because(kafka.ResumePointLost, p.Remote+" was written to while it was opened", "")
	}
	start, err := l.src.startOf(ctx, p.Spec)
	if err != nil {
		return err
	}
	p.moveTo(start, 0, f.marker+1)
	for at := range l.stored.pages[p.Key()] {
		p.stale = append(p.stale, at) // of a map that was there before: no page of it may become one of the new map's
	}
	if p.From >= 0 { // another tool copied what is before
		p.xlate = offsetxlate.NewUnknown(offsetxlate.Point{Src: start, Dst: f.marker + 1})
		return nil
	}
	p.xlate = offsetxlate.New(offsetxlate.Point{Src: start, Dst: f.marker + 1})
	return nil
}

// resumePart goes on where the epoch of the stored progress ended: the batches behind its place say how far that is.
func (l *life) resumePart(p *part, prog checkpoint.Progress, f *fenced) error {
	p.stats.Zombie += f.zombie // it wrote what progress' owner had written, or was to
	p.stats.Foreign += f.strange
	next, written, copied, err := prog.Resume(f.tail)
	if err != nil {
		return kafka.Because(kafka.ResumePointLost, err.Error(), "report this: acknowledged records are gone, or something else used meshd's transactional id")
	}
	if p.xlate, err = l.stored.pages.Map(p.Key()); err != nil {
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
	err = complete(p.xlate, copied)
	if err == nil && p.xlate.End().Src > next && !p.xlate.TruncateSource(next) { // markers that are read again, or what the source took back
		err = forgetting(next)
	}
	if err == nil { // nothing of this origin lies between the last record and the marker
		err = p.xlate.AdvanceDest(f.marker + 1)
	}
	if err != nil {
		return fmt.Errorf("completing the offset map of %s: %w", p.Key(), err)
	}
	p.prog.SourceEnd, p.prog.SeenAt = prog.SourceEnd, prog.SeenAt
	if prog.Owner != l.id {
		written = 0 // a new epoch counts from 0
	}
	p.moveTo(next, written, f.marker+1)
	if sent := l.stored.sent[p.Key()]; prog.Owner == l.id && sent > written {
		p.standBy(prog, sent)
	}
	if len(f.tail) == 0 && next == prog.Source {
		p.lastEpoch = prog.SourceEpoch
		p.pass(next, p.lastEpoch)
	}
	return nil
}

func endOf(copied []checkpoint.Copied, place offsetxlate.Dest) offsetxlate.Dest {
	if len(copied) == 0 {
		return place
	}
	last := copied[len(copied)-1]
	return last.Dest + offsetxlate.Dest(last.Count)
}

// complete adds to a map what the tail of the log holds beyond it.
func complete(m *offsetxlate.Map, copied []checkpoint.Copied) error {
	for _, c := range copied {
		if c.Dest >= m.End().Dst && c.Source < m.End().Src && !m.TruncateSource(c.Source) { // the source took back what lay there
			return forgetting(c.Source)
		}
		skip := max(0, min(c.Count, int64(m.End().Src-c.Source)))
		if skip == c.Count {
			continue
		}
		if err := m.Append(c.Source+offsetxlate.Source(skip), c.Dest+offsetxlate.Dest(skip), c.Count-skip); err != nil {
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

// moveTo sets the place of a part that is not running.
func (p *part) moveTo(src offsetxlate.Source, written int64, dest offsetxlate.Dest) {
	p.at, p.dest = src, dest
	p.pass(src, -1)
	p.written, p.assigned = written, written
	p.prog.Written, p.prog.Source, p.prog.Dest, p.prog.Ahead = written, src, dest, nil
	p.dirty = true
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
	starts, ends, err := f.bounds(ctx, ps)
	for i, at := range ps {
		if out[i].err = err; err == nil {
			out[i].err = cmp.Or(starts[i].Err, ends[i].Err)
		}
		if out[i].err == nil && starts[i].At < ends[i].At {
			out[i] = f.holdsData(ctx, at, offsetxlate.Dest(starts[i].At), offsetxlate.Dest(ends[i].At))
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
