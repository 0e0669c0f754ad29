package flow

import (
	"testing"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/offsetxlate"
)

// nobody is an owner that nobody listens to.
type nobody struct{ partOwner }

func (nobody) needNote(*part)  {}
func (nobody) wakeFetch(*part) {}

// A note that was under way when the part went back says nothing of the runs that came since: records that are cut otherwise now may
// have the same numbers.
func TestNoteOfBeforeGoingBackLiftsNoGate(t *testing.T) {
	p := &part{
		owner: nobody{}, sieve: passAll(), budget: NewBudget(1 << 20), state: Streaming, unnoted: nothingUnnoted,
		prog: checkpoint.Progress{}, xlate: offsetxlate.New(offsetxlate.Point{}),
	}
	p.addRun(0, srcRun{source: 10})
	p.assigned = 5
	_, mark, _ := p.note()
	p.rewind()
	p.addRun(0, srcRun{source: 20})
	p.assigned = 5
	p.noted(mark)
	if p.unnoted != 0 {
		t.Fatalf("the gate stands at %d after a note that does not know of the run, want 0", p.unnoted)
	}
	_, mark, _ = p.note()
	p.noted(mark)
	if p.unnoted != nothingUnnoted {
		t.Fatalf("the gate stands at %d though all is noted", p.unnoted)
	}
}

// A place is not noted before the map is stored that leads to it: an heir finds nothing before the place.
func TestNoPlaceIsNotedAheadOfItsMap(t *testing.T) {
	p := &part{
		owner: nobody{}, sieve: passAll(), budget: NewBudget(1 << 20), state: Streaming, unnoted: nothingUnnoted,
		prog: checkpoint.Progress{}, xlate: offsetxlate.New(offsetxlate.Point{}),
	}
	p.addRun(0, srcRun{source: 10})
	if _, _, save := p.note(); save {
		t.Error("the first note needs a save")
	}
	if err := p.xlate.Append(10, 0, 5); err != nil { // five records are acknowledged
		t.Fatal(err)
	}
	p.assigned, p.written, p.dest = 5, 5, 5
	p.rewind()
	p.addRun(5, srcRun{source: 20})
	if _, _, save := p.note(); !save {
		t.Error("a place is noted to which no map leads")
	}
	if pages, _, _ := p.snapshot(); len(pages) == 0 || p.prog.Dest != 5 {
		t.Errorf("%d pages for the place %d", len(pages), p.prog.Dest)
	}
	if _, _, save := p.note(); save {
		t.Error("a note after the save needs another one")
	}
}
