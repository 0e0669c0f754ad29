package flow

import (
	"testing"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
)

// atOriginIdentity is a part of identity naming that reads at its origin and has 30 records there, of leader epoch 5.
func atOriginIdentity(t *testing.T) *part {
	t.Helper()
	p := loose(&mute{})
	p.Identity, p.OnGap = true, "continue"
	p.sieve.prefix, p.sieve.origin = nil, 1
	p.sieve.judge = &loop.Judge{Source: 1, Provenance: loop.Batches, From: []bool{false, true}, Taken: loop.NewFrontiers(0)}
	fetched(p, 30, batchAt(t, 0, 5, 30, 100))
	_, m := p.noteEntry()
	p.noted(m)
	p.onAck(Ack{Base: 100})
	if p.written != 30 {
		t.Fatalf("%d records were written: %s", p.written, p.state)
	}
	return p
}

// What retention took at the origin moves the frontier on, never back: below it lies what came already, and another source may have that too.
func TestRetentionNeverTakesTheFrontierBack(t *testing.T) {
	p := atOriginIdentity(t)
	was := p.frontier(p.assigned)
	p.state = Backoff
	p.resolveRange(50, 60)
	if now := p.frontier(p.assigned); now.Less(was) {
		t.Errorf("the frontier was %s, and is %s", was, now)
	}
	p.prog.Advance(p.written, p.dest)
	kept, err := checkpoint.DecodeProgress(p.prog.Encode())
	if err != nil || kept.Frontier().Less(was) {
		t.Errorf("the frontier was %s, and is kept as %s: %v", was, kept.Frontier(), err)
	}
}

// What retention took is noted also where nothing came between two times, and can be read again: one note that can't be decoded keeps a whole
// shard from being opened.
func TestRetentionTwiceIsNoted(t *testing.T) {
	p := atOriginIdentity(t)
	for _, start := range []offsetxlate.Source{50, 80} {
		p.state = Backoff
		p.resolveRange(start, start+10)
	}
	p.prog.Advance(p.written, p.dest)
	kept, err := checkpoint.DecodeProgress(p.prog.Encode())
	if err != nil {
		t.Fatalf("of gaps %v: %v", p.prog.Gaps, err)
	}
	want := loop.Gap{From: loop.Coordinate{Epoch: 5, Offset: 30}, To: loop.Coordinate{Epoch: 5, Offset: 80}, Why: loop.GapRetention}
	if len(kept.Gaps) != 1 || kept.Gaps[0] != want {
		t.Errorf("kept is %v", kept.Gaps)
	}
}

// What the origin has deleted another source may still have: it is left out only once none could give it for a while.
func TestWhatTheOriginDeletedIsAskedOfOthers(t *testing.T) {
	p := atOriginIdentity(t)
	p.Several = true
	p.state = Backoff
	p.resolveRange(50, 60)
	if p.at != 30 || p.state != Failed {
		t.Fatalf("%s: it reads on at %d, and others were not asked", p.state, p.at)
	}
	p.nobodyHas(loop.Gap{From: p.lacks(), To: loop.Coordinate{Epoch: 5, Offset: 50}, Why: loop.GapCopied})
	p.resolveRange(50, 60)
	if p.at != 50 || len(p.prog.Gaps) != 1 {
		t.Fatalf("%s: it reads on at %d, behind gaps %v", p.state, p.at, p.prog.Gaps)
	}
}
