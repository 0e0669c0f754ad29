package flow

import (
	"testing"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
)

// settledPart is one with identity naming that has copied records 0 to 29, of the leader epochs 2, 4 and 5.
func settledPart(t *testing.T) *part {
	t.Helper()
	p := loose(&mute{})
	p.Identity, p.Origin, p.Source = true, "eu", "eu"
	p.sieve.prefix, p.sieve.origin = nil, 1
	p.sieve.judge = &loop.Judge{Source: 1, Provenance: loop.Batches, From: []bool{false, true}, Taken: loop.NewFrontiers(0)}
	fetched(p, 30, batchAt(t, 0, 2, 10, 100), batchAt(t, 10, 4, 10, 100), batchAt(t, 20, 5, 10, 100))
	for base := int64(100); p.written < 30; base += 10 {
		p.onAck(Ack{Base: base})
		_, m := p.noteEntry()
		p.noted(m)
	}
	return p
}

// origin answers fetches as a broker does that leads behind an unclean election.
type origin struct {
	epochs []turn // at: where after begins
	end    offsetxlate.Source
}

// parts is what it says of who read up to a place: where its log is another one (KIP-595).
func (o origin) parts(at srcPlace) (has srcPlace, diverged bool) {
	has = srcPlace{o.end, -1}
	for _, e := range o.epochs {
		if e.after > at.epoch {
			has.next = e.at
			break
		}
		has.epoch = e.after
	}
	return has, at.epoch >= 0 && (has.epoch < at.epoch || has.next < at.next)
}

// A source that parted from what was read, by elections that nobody saw here, is asked behind epochs that it has, until it is at one with the
// part. What it has of epochs that are settled here is left out, and never makes the frontier lower: another source may still have what was
// copied.
func TestAsksBehindEpochsThatTheSourceHas(t *testing.T) {
	for name, o := range map[string]origin{
		"one election":              {[]turn{{0, -1, 2}, {10, 2, 4}, {20, 4, 5}, {25, 5, 6}}, 40},
		"an epoch before all":       {[]turn{{0, -1, 1}, {7, 1, 6}}, 40},
		"one that was never read":   {[]turn{{0, -1, 2}, {8, 2, 3}, {12, 3, 6}}, 40},
		"two that were never read":  {[]turn{{0, -1, 1}, {7, 1, 3}, {12, 3, 6}}, 40},
		"an epoch without a record": {[]turn{{0, -1, 2}, {10, 2, 4}, {15, 4, 9}}, 40},
	} {
		t.Run(name, func(t *testing.T) {
			p := settledPart(t)
			was := p.frontier(p.assigned)
			for range 4 {
				if has, diverged := o.parts(srcPlace{p.at, p.lastEpoch}); diverged {
					p.tookBack(has, "it parted")
				}
			}
			if has, diverged := o.parts(srcPlace{p.at, p.lastEpoch}); diverged {
				t.Fatalf("it reads at %d behind epoch %d, and its source goes on saying that it has epoch %d up to %d", p.at, p.lastEpoch, has.epoch, has.next)
			}
			for i, e := range o.epochs {
				next := o.end
				if i+1 < len(o.epochs) {
					next = o.epochs[i+1].at
				}
				if next <= p.at {
					continue
				}
				fetched(p, int64(o.end), batchAt(t, int64(e.at), e.after, int(next-e.at), 100))
				if now := p.frontier(p.assigned); now.Less(was) {
					t.Fatalf("the frontier was %s and is %s", was, now)
				}
			}
			if last := o.epochs[len(o.epochs)-1]; p.assigned-p.written != int64(o.end-last.at) {
				t.Fatalf("%d records are to be sent", p.assigned-p.written)
			}
		})
	}
}

// Where a part goes on behind a log that parted outlives its orderly end, and a batch that was refused.
func TestKeepsWhereTheSourceParted(t *testing.T) {
	p := settledPart(t)
	p.tookBack(srcPlace{25, 5}, "it parted")
	p.forgetQueued()
	p.snapshot()
	kept, err := checkpoint.DecodeProgress(p.prog.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if at := resumeRead(kept, p.Spec, kept.Source, kept.Written); at != (srcPlace{25, 5}) || kept.Frontier() != (loop.Coordinate{Epoch: 6, Offset: 25}) {
		t.Fatalf("its successor reads at %d behind epoch %d, from the frontier %s", at.next, at.epoch, kept.Frontier())
	}
}

// What the origin deleted before it was copied takes no epoch off the frontier.
func TestGapKeepsTheEpoch(t *testing.T) {
	p := settledPart(t)
	p.OnGap = "continue"
	p.stop(Backoff, kafka.Reason{})
	p.resolveRange(35, 40)
	if got, want := p.frontier(p.assigned), (loop.Coordinate{Epoch: 5, Offset: 35}); got != want {
		t.Fatalf("the frontier is %s, want %s", got, want)
	}
	gap, ok := p.prog.Gaps.Between(loop.Coordinate{Epoch: 5, Offset: 30}, loop.Infinite)
	if !ok || gap.To != (loop.Coordinate{Epoch: 5, Offset: 35}) {
		t.Fatalf("the gaps are %v", p.prog.Gaps)
	}
}
