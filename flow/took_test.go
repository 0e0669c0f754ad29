package flow

import (
	"log/slog"
	"testing"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/offsetxlate"
	"github.com/meshd/meshd/topology"
)

// A writer resumed behind what retention had taken of its predecessor's batches before these were in the map. Whoever lacks them sees that they
// are gone: they lie before what the log still holds.
func TestWhatRetentionTookIsInTheMap(t *testing.T) {
	m := offsetxlate.New(offsetxlate.Point{Dst: 5})
	if err := m.Append(2, 5, 1); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		tail []checkpoint.Batch
		next offsetxlate.Source
	}{
		"all of it":           {nil, 8},
		"not all":             {[]checkpoint.Batch{{Base: 11, Count: 1, Sequence: 4}}, 9},
		"and compaction some": {[]checkpoint.Batch{{Base: 24, Count: 1, Sequence: 16}}, 21},
	} {
		t.Run(name, func(t *testing.T) {
			l := &life{shard: newShard(topology.Shard{}, told{}, &env{}, nil, slog.New(slog.DiscardHandler)), id: kafka.ProducerID{ID: 7, Epoch: 1}, stored: stored{pages: checkpoint.Pages{}}}
			p := loose(&mute{})
			l.stored.pages.Put(p.Key(), m)
			prog := checkpoint.Progress{Owner: kafka.ProducerID{ID: 7}, Written: 1, Source: 3, Dest: 6, Ahead: []checkpoint.Run{{Written: 3, Source: 7, Epoch: 0}}}
			if err := l.goOnPart(p, &opening{prog: prog, fence: &fenced{start: 10, end: 25, marker: 25, tail: c.tail}, count: 4}); err != nil {
				t.Fatal(err)
			}
			if p.at != c.next {
				t.Fatalf("it goes on at %d, want %d", p.at, c.next)
			}
			for x, gone := range map[offsetxlate.Source]bool{2: true, 3: true, 4: true, 7: true, 20: false} {
				if at := p.xlate.ToDest(x).Offset; at < 10 != gone {
					t.Errorf("offset %d is found at %d", x, at)
				}
			}
		})
	}
}
