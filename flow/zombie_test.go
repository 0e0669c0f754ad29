package flow

import (
	"errors"
	"log/slog"
	"testing"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
	"github.com/meshd/meshd/topology"
)

// An unclean election at the destination took the marker of a writer with all behind it, and the owner before wrote there what it had under
// way. The map has other records at these places: only those themselves say which they are.
func TestWhatAZombieWroteWhereALogPartedIsNotInTheMap(t *testing.T) {
	for name, c := range map[string]struct {
		leader int32            // epoch in which the last batch that is left was written
		left   *loop.Coordinate // behind it, as its header says
		next   offsetxlate.Source
		known  bool // the map goes on
	}{
		"what is left is what the map says": {3, nil, 52, true},
		"a zombie's":                        {4, nil, -1, false},
		"a zombie's, with headers":          {4, &loop.Coordinate{Offset: 53}, 53, false},
	} {
		t.Run(name, func(t *testing.T) {
			l := &life{shard: newShard(topology.Shard{}, told{}, &env{}, nil, slog.New(slog.DiscardHandler)), id: kafka.ProducerID{ID: 7, Epoch: 2}, stored: stored{pages: checkpoint.Pages{}}}
			p := loose(&mute{})
			m := offsetxlate.New(offsetxlate.Point{})
			for _, at := range []offsetxlate.Dest{0, 51} { // between them the marker
				if err := m.Append(m.End().Src, at, 50); err != nil {
					t.Fatal(err)
				}
			}
			l.stored.pages.Put(p.Key(), m)
			prog := checkpoint.Progress{Owner: kafka.ProducerID{ID: 7, Epoch: 1}, Written: 50, Source: 100, Dest: 101, DestEpoch: 3}
			last := foreign{checkpoint.Batch{Base: 50, Count: 3, Sequence: 50}, kafka.ProducerID{ID: 7}, false, 53, c.leader}
			err := l.goOnPart(p, &opening{prog: prog, left: c.left, fence: &fenced{end: 53, marker: 53, last: &last}})
			var why kafka.Reason
			switch {
			case c.next < 0 && errors.As(err, &why) && why.Code == kafka.ResumePointLost:
			case c.next < 0 || err != nil:
				t.Fatalf("it goes on at %d: %v", p.at, err)
			case p.at != c.next || p.xlate.ToDest(51).Exact != c.known:
				t.Errorf("it goes on at %d, want %d; offset 51 lies at %+v", p.at, c.next, p.xlate.ToDest(51))
			}
		})
	}
}
