package flow

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/offsetxlate"
	"github.com/meshd/meshd/topology"
)

// diverging answers a fetch by the offset at which the source's log parts from what was read.
func diverging(p *part, at int64) {
	rp := kmsg.NewFetchResponseTopicPartition()
	rp.DivergingEpoch.EndOffset = at
	p.deliver(kafka.Got{FetchResponseTopicPartition: &rp, Want: kafka.Want{Offset: int64(p.at)}}, nil, nil)
}

// A source that took back what was read, but not sent, is read again from there, by the leader epoch of what was sent. Where it took back
// more than that, the partition stops.
func TestWhatTheSourceTookBackIsNotSent(t *testing.T) {
	p := loose(&mute{})
	fetched(p, 30, batchAt(t, 0, 3, 10, 100)) // under way
	fetched(p, 30, batchAt(t, 10, 4, 10, 100), batchAt(t, 20, 5, 10, 100))
	if len(p.busy) != 1 || len(p.queue) != 2 {
		t.Fatalf("%d under way, %d queued", len(p.busy), len(p.queue))
	}
	diverging(p, 15)
	if p.state != Backoff || p.reason.Code != kafka.SourceTruncated || len(p.queue) != 0 {
		t.Fatalf("%s for %s, %d queued", p.state, p.reason.Code, len(p.queue))
	}
	if w, _, _ := p.want(p.retryAt, queueBytes); w.Offset != 10 || w.LastEpoch != 3 {
		t.Fatalf("it is read on from offset %d behind epoch %d", w.Offset, w.LastEpoch)
	}
	diverging(p, 8) // of what is under way nobody knows whether it is there yet
	if p.state != Backoff {
		t.Fatal(p.state)
	}
	p.onAck(Ack{Base: 0})
	diverging(p, 8)
	if p.state != Failed || p.reason.Code != kafka.SourceTruncated {
		t.Fatalf("%s for %s", p.state, p.reason.Code)
	}
	if w, ok, _ := p.want(p.retryAt, queueBytes); !ok || w.Offset != 10 || w.LastEpoch != 3 {
		t.Fatalf("asked again: %v, from offset %d behind epoch %d", ok, w.Offset, w.LastEpoch)
	}
	if used := p.budget.Used(); used != 0 {
		t.Fatalf("%d bytes are held", used)
	}
}

// By policy a partition goes on where the source's log parts from what was copied: there the source's last common epoch ended, or ended in
// what was read. Where that is not known it stops all the same.
func TestGoesOnWhereTheSourceParted(t *testing.T) {
	type parting struct {
		epoch int32
		end   int64
	}
	for name, c := range map[string]struct {
		source parting
		goesOn offsetxlate.Source // 0: not
	}{
		"the last epoch is shorter there":                {parting{5, 25}, 25},
		"the one before it went on for longer there":     {parting{4, 25}, 20},
		"the one before it is shorter there":             {parting{4, 15}, 15},
		"an epoch between that was never read":           {parting{3, 12}, 10},
		"the epoch that was read first":                  {parting{2, 7}, 7},
		"an epoch before all that was read":              {parting{1, 7}, 0},
		"the source says nothing of epochs, only an end": {parting{-1, 7}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := loose(&mute{})
			p.OnGap = "continue"
			fetched(p, 30, batchAt(t, 0, 2, 10, 100), batchAt(t, 10, 4, 10, 100), batchAt(t, 20, 5, 10, 100))
			for base := int64(100); p.written < 30; base += 10 {
				p.onAck(Ack{Base: base})
				_, m := p.noteEntry()
				p.noted(m)
			}
			p.tookBack(srcPlace{offsetxlate.Source(c.source.end), c.source.epoch}, "it parted")
			if c.goesOn == 0 {
				if p.state != Failed {
					t.Fatalf("it goes on at %d", p.at)
				}
				return
			}
			behind := c.source.epoch
			if behind == 3 { // it holds what lies before at the source too only if it holds that of epoch 2: the source is asked again
				behind = 2
			}
			if p.at != c.goesOn || p.lastEpoch != behind || p.prog.SourceOf(p.assigned) != c.goesOn {
				t.Fatalf("it goes on at %d behind epoch %d, and notes %d", p.at, p.lastEpoch, p.prog.SourceOf(p.assigned))
			}
			fetched(p, 100, batchAt(t, int64(c.goesOn), 6, 30, 100))
			_, m := p.noteEntry()
			p.noted(m)
			p.onAck(Ack{Base: 200})
			if at, ok := p.xlate.ToDest(c.goesOn), p.written == 60; at.Offset != 200 || !ok {
				t.Fatalf("offset %d is found at %d", c.goesOn, at.Offset)
			}
			if p.stats.GapRecords != int64(30-c.goesOn) {
				t.Fatalf("%d offsets are said to be lost", p.stats.GapRecords)
			}
		})
	}
}

// With identity naming a part goes on behind a log that parted, though nobody says that it may; what was lost there does not come a second
// time by another way.
func TestPartsWithIdentityNaming(t *testing.T) {
	for name, has := range map[string]srcPlace{"the last epoch is shorter there": {25, 5}, "it is not known where the logs part": {7, 1}} {
		t.Run(name, func(t *testing.T) {
			p := settledPart(t)
			was := p.frontier(p.assigned)
			p.tookBack(has, "it parted")
			if now := p.frontier(p.assigned); p.state == Failed || p.at != has.next || now.Less(was) {
				t.Fatalf("%s, reads at %d; the frontier was %s and is %s", p.state, p.at, was, now)
			}
			p.prog.Advance(p.written, p.dest)
			if kept, err := checkpoint.DecodeProgress(p.prog.Encode()); err != nil || kept.Frontier().Less(was) {
				t.Fatalf("the frontier was %s and is kept as %s: %v", was, kept.Frontier(), err)
			}
		})
	}
}

// Where the epochs changed in what was dropped says nothing of what is read instead.
func TestForgetsTheEpochsOfWhatWasDropped(t *testing.T) {
	p := loose(&mute{})
	p.OnGap = "continue"
	fetched(p, 30, batchAt(t, 0, 4, 10, 100))
	p.onAck(Ack{Base: 0})
	fetched(p, 30, batchAt(t, 10, 4, 10, 100))
	fetched(p, 30, batchAt(t, 20, 5, 10, 100)) // waits for that
	p.onAck(Ack{Err: kerr.PolicyViolation})    // and is dropped with it
	fetched(p, 30, batchAt(t, 10, 4, 8, 100), batchAt(t, 18, 6, 12, 100))
	for range 4 {
		_, m := p.noteEntry()
		p.noted(m)
		p.onAck(Ack{Base: int64(p.dest)})
	}
	if p.written != 30 {
		t.Fatalf("%d records were written", p.written)
	}
	p.tookBack(srcPlace{19, 4}, "it parted")
	if p.at != 18 {
		t.Fatalf("the leader before went on up to 19, of which 18 was never read; it goes on at %d", p.at)
	}
	fetched(p, 30, batchAt(t, 18, 7, 12, 100))
	_, m := p.noteEntry()
	p.noted(m)
	p.onAck(Ack{Base: 100})
	p.tookBack(srcPlace{19, 6}, "it parted again")
	if p.at != 18 || p.lastEpoch != 4 {
		t.Fatalf("epoch 6 was left at 18; it goes on at %d behind epoch %d", p.at, p.lastEpoch)
	}
}

// A part that goes back to what is acknowledged asks the source behind the epoch of that.
func TestGoingBackKeepsTheEpoch(t *testing.T) {
	p := loose(&mute{})
	fetched(p, 20, batchAt(t, 0, 3, 10, 100))
	p.onAck(Ack{Base: 0})
	fetched(p, 20, batchAt(t, 10, 4, 10, 100))
	p.onAck(Ack{Err: kerr.PolicyViolation})
	if w, _, _ := p.want(p.retryAt, queueBytes); w.Offset != 10 || w.LastEpoch != 3 {
		t.Fatalf("it is read on from offset %d behind epoch %d", w.Offset, w.LastEpoch)
	}
}

// unsure is an owner that doubts whether it is one.
type unsure struct {
	mute
	known bool
	asked int
	stuck []kafka.Reason
}

func (u *unsure) sure() bool                        { return u.known }
func (u *unsure) needProof(*part)                   { u.asked++ }
func (u *unsure) partStuck(_ *part, r kafka.Reason) { u.stuck = append(u.stuck, r) }

// What a leader that may have forgotten the fence is sent goes only while this node is known to be the owner, the second time as the first.
func TestAWeakFenceIsGuardedEachTime(t *testing.T) {
	o := &unsure{}
	p := loose(o)
	p.outlet.guard, p.memory = p.mayGo, -time.Hour // whatever is sent may be forgotten at once
	fetched(p, 10, batchAt(t, 0, 0, 10, 100))
	if f, _ := p.outlet.take(false, 0); f != nil || o.asked != 1 || !p.weak {
		t.Fatalf("sent: %v; asked %d times", f != nil, o.asked)
	}
	o.known = true
	f, _ := p.outlet.take(false, 0)
	if f == nil {
		t.Fatal("it is not sent by who is the owner")
	}
	o.known = false
	p.outlet.answer(f, 0, kerr.NotEnoughReplicas)
	if f, _ := p.outlet.take(false, 0); f != nil || o.asked != 2 {
		t.Fatalf("sent again: %v; asked %d times", f != nil, o.asked)
	}
}

// A partition that stays at rest for longer than its leader remembers producers gets a marker.
func TestAPartitionAtRestIsMarkedAnew(t *testing.T) {
	p := loose(&mute{})
	now := time.Now()
	p.youngest = now.Add(-p.memory / 3).UnixMilli()
	if p.needsMark(now, p.memory) || p.weak {
		t.Fatal("a leader that remembers this writer is asked for a marker")
	}
	p.youngest = now.Add(-p.memory * 2 / 3).UnixMilli()
	if !p.needsMark(now, p.memory) || !p.weak {
		t.Fatal("a leader that may have forgotten this writer is not asked for a marker")
	}
	p.marking()
	p.marked(true)
	if p.weak || p.needsMark(now.Add(time.Minute), p.memory) {
		t.Fatal("it is asked for again and again")
	}
}

// A destination that does not answer for one partition ends that one, and not the epoch of its shard.
func TestStuckEndsAlone(t *testing.T) {
	o := &unsure{known: true}
	p := loose(o)
	fetched(p, 10, batchAt(t, 0, 0, 10, 100))
	f, _ := p.outlet.take(false, 0)
	p.outlet.answer(f, 0, kerr.NotEnoughReplicas)
	p.outlet.mu.Lock()
	p.outlet.since = time.Now().Add(-2 * stallAfter)
	p.outlet.mu.Unlock()
	p.stuck()
	p.stuck()
	if len(o.stuck) != 1 || o.failed != nil || o.stuck[0].Code != kafka.DestinationUnreachable {
		t.Fatalf("%v; the epoch ends: %v", o.stuck, o.failed)
	}
	p.onAck(Ack{Base: 0})
	if p.written != 0 {
		t.Fatal("it takes an answer though it is given up")
	}
}

// A log with more to read than one fence has time for is read on at the next one.
func TestAFenceReadsOnWhereItWas(t *testing.T) {
	f := &fence{kept: map[kafka.Spot]kept{}}
	at := kafka.Partition{Topic: "t"}
	to := reach{from: 100, owner: kafka.ProducerID{ID: 7}}
	var r fenced
	s := f.begin(at, &r, to, true, 0, 5000)
	if s.at != 99 {
		t.Fatalf("it begins at %d", s.at)
	}
	s.at, r.strange = 3000, 17
	f.giveUp([]*scan{s}, map[kafka.Partition]*fenced{at: &r})
	if !errors.Is(r.err, errStillReading) {
		t.Fatal(r.err)
	}
	var again fenced
	if s = f.begin(at, &again, to, true, 0, 6000); s.at != 3000 || again.strange != 17 || again.end != 5000 {
		t.Fatalf("it goes on at %d with %d records, up to %d", s.at, again.strange, again.end)
	}
	if s = f.begin(at, &fenced{}, to, true, 0, 6000); s.at != 99 {
		t.Fatalf("what was done with is gone on with at %d", s.at)
	}
}

// The own marker that proves a fence is one that was asked for by this fence, not one from before.
func TestAnEarlierMarkerIsNoProof(t *testing.T) {
	f := &fence{id: kafka.ProducerID{ID: 7, Epoch: 0}}
	for offset, proof := range map[int64]bool{4: false, 5: true} {
		s := &scan{}
		r := &fenced{end: 5}
		rp := kmsg.NewFetchResponseTopicPartition()
		rp.RecordBatches = marker(t, offset, 0)
		f.look(s, kafka.Got{FetchResponseTopicPartition: &rp}, r)
		if s.done != proof {
			t.Errorf("a marker at %d of a log that ended at %d before: %v", offset, r.end, s.done)
		}
	}
}

// A new leader that does not go as far as the old one had acknowledged is noticed, also where nothing is written.
func TestANewLeaderIsCompared(t *testing.T) {
	o := &mute{}
	p := loose(o)
	p.dest, p.prog.DestEpoch = 100, 4
	s := p.suspect(kafka.Partition{LeaderEpoch: 5})
	p.dest = 110 // acknowledged by the old leader, and answered late
	if s.judge(100) || p.prog.DestEpoch != 4 {
		t.Fatal("what was acknowledged since is taken for compared")
	}
	p.dest = 100
	s.judge(100)
	if o.failed != nil || p.prog.DestEpoch != 5 {
		t.Fatalf("%v; epoch %d", o.failed, p.prog.DestEpoch)
	}
	s = p.suspect(kafka.Partition{LeaderEpoch: 6})
	p.dest = 200 // by the new leader, meanwhile
	s.judge(99)
	if o.failed == nil || offsetxlate.Dest(99) >= s.dest {
		t.Fatal("what the new leader lacks is not noticed")
	}
}

// The time for a fence ends in the middle of a request, as a rule: what was read until then is kept all the same, and so it is where the
// cluster does not answer the next time.
func TestAFenceKeepsItsPlaceWhenItsTimeEndsInARequest(t *testing.T) {
	src, p, _, produce := reading(t)
	for range 3 {
		produce()
	}
	at, _ := src.dir.Get(p.Topic, p.Number)
	f := &fence{cluster: src.tail, dir: src.dir, kept: map[kafka.Spot]kept{}}
	to := reach{from: 1, owner: kafka.ProducerID{ID: 7}}
	ended, end := context.WithDeadline(t.Context(), time.Now())
	defer end()
	var r fenced
	out := map[kafka.Partition]*fenced{at: &r}
	s := f.begin(at, &r, to, true, 0, 4)
	s.at = 2 // so far it came
	f.read(ended, at.Leader, []*scan{s}, out)
	f.giveUp([]*scan{s}, out)
	if !errors.Is(r.err, errStillReading) {
		t.Fatal(r.err)
	}
	for name, fails := range map[string]func([]*scan){
		"no answer": func(todo []*scan) {
			note(todo, out, kerr.RequestTimedOut)
			f.giveUp(todo, out)
		},
		"no metadata": func(todo []*scan) { f.leaveOut(ended, todo, out) },
	} {
		if s = f.begin(at, &r, to, true, 0, 6); s.at != 2 || r.end != 4 || r.err != nil {
			t.Fatalf("before %s: it goes on at %d, up to %d; %v", name, s.at, r.end, r.err)
		}
		if fails([]*scan{s}); r.err == nil || errors.Is(r.err, errStillReading) {
			t.Fatalf("%s: %v", name, r.err)
		}
	}
	if s = f.begin(at, &fenced{}, to, true, 0, 6); s.at != 2 {
		t.Fatalf("it goes on at %d", s.at)
	}
}

// The epoch under which a batch was sent is that of which this node knew. A leader that goes on under a new one has lost nothing, though the
// old epoch ended before what was acknowledged.
func TestALeaderThatGoesOnUnderANewEpochLostNothing(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	cluster, err := new(kafka.Dialer).Dial(topology.Cluster{Alias: "eu", Inside: topology.Endpoint{Bootstrap: c.ListenAddrs()}})
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	writer, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.DefaultProduceTopic("t"))
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	dir := kafka.NewDirectory(cluster, time.Hour)
	var epoch int32
	for n := range 3 {
		if err := writer.ProduceSync(t.Context(), kgo.StringRecord("x")).FirstErr(); err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			epoch = c.PartitionInfo("t", 0).Epoch
			if err := c.MoveTopicPartition("t", 0, c.PartitionInfo("t", 0).Leader); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := dir.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	at, _ := dir.Get("t", 0)
	f := &fence{cluster: cluster, dir: dir}
	var id kafka.ProducerID
	if err := f.scan(t.Context(), at, 0, 3, func(x foreign) bool { id = x.writer; return true }); err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]struct {
		dest    offsetxlate.Dest
		written int64
		id      kafka.ProducerID
		lost    bool
	}{
		"all is there":                  {3, 3, id, false},
		"the last record is not there":  {4, 4, id, true},
		"another record took its place": {3, 7, id, true},
		"another writer's took it":      {3, 3, kafka.ProducerID{ID: id.ID + 1}, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShard(topology.Shard{}, told{}, &env{}, &Destination{Site: &Site{Control: cluster, Dir: dir}}, slog.New(slog.DiscardHandler))
			l := &life{shard: s, fence: f}
			p := loose(s)
			p.id, p.dest, p.written, p.prog.DestEpoch = x.id, x.dest, x.written, epoch
			l.compare(t.Context(), map[kafka.Spot]suspect{at.Spot(): p.suspect(at)})
			if err := l.beside.take(t.Context(), <-l.beside.done); err != nil {
				t.Fatal(err)
			}
			if (s.broken != nil) != x.lost || !x.lost && p.prog.DestEpoch != at.LeaderEpoch {
				t.Fatalf("%v; epoch %d of %d", s.broken, p.prog.DestEpoch, at.LeaderEpoch)
			}
		})
	}
}

// An owner noted where it goes on after the source took back what was copied, and died before the map was stored, or anything sent.
func TestResumesWhereTheSourceTookBack(t *testing.T) {
	m := offsetxlate.New(offsetxlate.Point{})
	if err := m.Append(0, 0, 30); err != nil {
		t.Fatal(err)
	}
	l := &life{shard: newShard(topology.Shard{}, told{}, &env{}, nil, slog.New(slog.DiscardHandler)), id: kafka.ProducerID{ID: 7, Epoch: 1}, stored: stored{pages: checkpoint.Pages{}}}
	o := &mute{}
	p := loose(o)
	l.stored.pages.Put(p.Key(), m)
	prog := checkpoint.Progress{Owner: kafka.ProducerID{ID: 7}, Written: 30, Source: 30, SourceEpoch: -1, Dest: 30, Ahead: []checkpoint.Run{{Written: 30, Source: 15, Epoch: -1}}}
	if err := l.resumePart(p, prog, &fenced{end: 30, marker: 30}); err != nil {
		t.Fatal(err)
	}
	if p.at != 15 || p.xlate.End().Src != 15 {
		t.Fatalf("it goes on at %d, and its map at %d", p.at, p.xlate.End().Src)
	}
	fetched(p, 25, batchAt(t, 15, 6, 10, 100))
	p.onAck(Ack{Base: 31})
	if at := p.xlate.ToDest(15); o.failed != nil || at.Offset != 31 {
		t.Fatalf("%v; offset 15 is found at %d", o.failed, at.Offset)
	}
}

// Parts that could not be closed in peace are ended with their epoch: the next one hears no more of them.
func TestWhatCouldNotBeClosedIsEnded(t *testing.T) {
	f, p, _, _ := reading(t)
	s := newShard(topology.Shard{}, told{}, &env{}, nil, slog.New(slog.DiscardHandler))
	q := loose(s)
	q.Topic, q.At, q.broken = "u", "u", true
	p.src, q.src = &Source{Fetcher: f}, &Source{Fetcher: f}
	p.broken = true
	s.parts[p.Key()], s.parts[q.Key()] = p, q
	f.add(p)
	f.add(q)
	l := &life{shard: s, progress: &ledger{outlet: p.outlet}, offsets: &ledger{outlet: p.outlet}}
	if err := l.closeUnwanted(t.Context()); !errors.Is(err, errBroken) {
		t.Fatal(err)
	}
	l.close()
	for _, x := range []*part{p, q} {
		if x.state != Stopped || f.broker(x) >= 0 {
			t.Errorf("%s goes on: %s, read from %d", x.Key(), x.state, f.broker(x))
		}
	}
}

// A leader that hangs holds up what it leads, and nothing else.
func TestAFenceDoesNotWaitForALeaderThatHangs(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(2), kfake.SeedTopics(2, "t"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for n := range int32(2) {
		if err := c.MoveTopicPartition("t", n, n); err != nil {
			t.Fatal(err)
		}
	}
	hung := make(chan struct{})
	defer close(hung)
	hangs := 1 - c.CoordinatorFor("w")
	c.ControlKey(int16(kmsg.ListOffsets), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if c.CurrentNode() == hangs {
			c.SleepControl(func() { <-hung })
		}
		return nil, nil, false
	})
	cluster, err := new(kafka.Dialer).Dial(topology.Cluster{Alias: "eu", Inside: topology.Endpoint{Bootstrap: c.ListenAddrs()}})
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	dir := kafka.NewDirectory(cluster, time.Hour)
	if err := dir.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	id, err := cluster.InitProducer(t.Context(), "w")
	if err != nil {
		t.Fatal(err)
	}
	f := &fence{cluster: cluster, dir: dir, txnID: "w", id: id, kept: map[kafka.Spot]kept{}}
	var ps []kafka.Partition
	for n := range int32(2) {
		at, _ := dir.Get("t", n)
		ps = append(ps, at)
	}
	up := f.raise(t.Context(), ps, nil)
	if hung, other := up[ps[hangs]].err, up[ps[1-hangs]].err; hung == nil || other != nil {
		t.Fatalf("with the leader that hangs: %v; with the other: %v", hung, other)
	}
}

// Behind its fence a leader has forgotten how much the owner before wrote: where it could not be asked before, there is no fence yet.
func TestNoFenceBeforeTheLeaderWasAsked(t *testing.T) {
	src, x, _, _ := reading(t)
	at, _ := src.dir.Get(x.Topic, x.Number)
	l := &life{
		shard: newShard(topology.Shard{}, told{}, &env{}, &Destination{Site: &Site{Control: src.tail, Dir: src.dir}}, slog.New(slog.DiscardHandler)),
		fence: &fence{cluster: src.tail, dir: src.dir, kept: map[kafka.Spot]kept{}}, old: kafka.ProducerID{ID: -1},
	}
	ended, end := context.WithDeadline(t.Context(), time.Now())
	defer end()
	todo := map[kafka.Partition]*opening{at: {known: true, count: -1, prog: checkpoint.Progress{DstID: at.TopicID}}}
	if ps := l.remember(ended, []kafka.Partition{at}, todo); len(ps) > 0 || todo[at].err == nil {
		t.Fatalf("%v is fenced; %v", ps, todo[at].err)
	}
	todo[at].err = nil
	if ps := l.remember(t.Context(), []kafka.Partition{at}, todo); len(ps) != 1 || todo[at].err != nil {
		t.Fatalf("%v is fenced; %v", ps, todo[at].err)
	}
}

// A source that takes its time to say what it holds holds up nothing else of the shard, which would be taken for standing still.
func TestAskingTheSourceHoldsUpNoShard(t *testing.T) {
	f, p, _, _ := reading(t)
	s := newShard(topology.Shard{}, told{}, &env{}, nil, slog.New(slog.DiscardHandler))
	p.src = &Source{Site: &Site{Control: f.tail, Dir: f.dir}, Fetcher: f}
	p.state = Backoff
	s.outOfRange(p)
	l := &life{shard: s}
	p.mu.Lock() // what is answered waits
	asked := make(chan struct{})
	go func() {
		l.findRanges(t.Context())
		close(asked)
	}()
	select {
	case <-asked:
		p.mu.Unlock()
	case <-time.After(2 * time.Second):
		p.mu.Unlock()
		t.Fatal("the shard waits")
	}
	l.asking.halt()
}

// A batch that was under way when its partition was given up may arrive when the partition is open again. What is sent then under the same
// numbers is of the same records, or the epoch ends.
func TestNumbersKeepTheirMeaningInAnEpoch(t *testing.T) {
	for name, x := range map[string]struct {
		batches [][]byte
		ends    bool
	}{
		"the same":                        {[][]byte{batchAt(t, 0, 0, 10, 100), batchAt(t, 20, 0, 10, 100), batchAt(t, 50, 0, 10, 100)}, false},
		"the same, cut anew":              {[][]byte{batchAt(t, 0, 0, 5, 100), batchAt(t, 5, 0, 5, 100), batchAt(t, 20, 0, 10, 100)}, false},
		"the first are gone":              {[][]byte{batchAt(t, 20, 0, 10, 100)}, true},
		"one is gone from the middle":     {[][]byte{batchAt(t, 0, 0, 5, 100), batchAt(t, 6, 0, 4, 100)}, true},
		"what lay in a gap is there":      {[][]byte{batchAt(t, 0, 0, 10, 100), batchAt(t, 10, 0, 10, 100)}, true},
		"the gap is gone from the next":   {[][]byte{batchAt(t, 0, 0, 10, 100), batchAt(t, 21, 0, 10, 100)}, true},
		"one batch has what lay in a gap": {[][]byte{batchAt(t, 0, 0, 20, 100)}, true},
	} {
		t.Run(name, func(t *testing.T) {
			old := loose(&mute{})
			fetched(old, 30, batchAt(t, 0, 0, 10, 2<<10), batchAt(t, 20, 0, 10, 2<<10))
			_, m := old.noteEntry()
			old.answered = time.Now()
			old.noted(m)
			l := &life{shard: newShard(topology.Shard{}, told{}, &env{}, nil, slog.New(slog.DiscardHandler))}
			l.stored = stored{progress: map[string]checkpoint.Progress{}, pages: checkpoint.Pages{}, sent: map[string]int64{}}
			l.stored.keep(old)
			if l.stored.sent[old.Key()] != 20 {
				t.Fatalf("%d records were sent, %d batches are under way", l.stored.sent[old.Key()], len(old.busy))
			}
			o := &mute{}
			p := loose(o)
			if err := l.resumePart(p, l.stored.progress[p.Key()], &fenced{}); err != nil {
				t.Fatal(err)
			}
			fetched(p, 100, x.batches...)
			if (o.failed != nil) != x.ends {
				t.Fatal(o.failed)
			}
		})
	}
}
