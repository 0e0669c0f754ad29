package flow

import (
	"testing"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
)

// tenOfUS is a cluster, and the map of ten records of it that lie from 0 on.
func tenOfUS(t *testing.T) (loop.ClusterID, *offsetxlate.Map) {
	t.Helper()
	id, err := loop.NewClusterID("us")
	if err != nil {
		t.Fatal(err)
	}
	m := offsetxlate.New(offsetxlate.Point{})
	if err := m.Append(0, 0, 10); err != nil {
		t.Fatal(err)
	}
	return id, m
}

func TestPlacesAllocateNothing(t *testing.T) {
	id, m := tenOfUS(t)
	w := checkpoint.Written{There: true, Map: m, Progress: checkpoint.Progress{Owner: kafka.ProducerID{ID: 7}, Source: 10, Dest: 10}}
	p := &places{known: map[loop.ClusterID]noted{id: {written: []checkpoint.Written{w}, asOf: 5}}}
	h := loop.Header{Cluster: []byte(id), At: loop.Coordinate{Offset: 3}}
	for _, c := range []struct {
		offset  int64
		fetched loop.Tick
		cluster string
		want    loop.Place
	}{
		{3, 9, string(id), loop.Here},
		{12, 9, string(id), loop.Elsewhere},
		{12, 9, "\x02eu", loop.NotCovered},
	} {
		h.Cluster = []byte(c.cluster)
		b := loop.Batch{ProducerID: 8, Fetched: c.fetched}
		if got := p.Place(b, h, c.offset); got != c.want {
			t.Errorf("place %d of %q: %d, want %d", c.offset, c.cluster, got, c.want)
		}
		if n := testing.AllocsPerRun(100, func() { p.Place(b, h, c.offset) }); n != 0 {
			t.Errorf("place %d: %v allocations", c.offset, n)
		}
	}
}

// Who wrote where the noted place lies ahead of the map is told by the map, when it comes to cover it, and by nothing before: not by how often it
// was looked.
func TestAMapThatLagsProvesNothing(t *testing.T) {
	id, m := tenOfUS(t)
	w := checkpoint.Written{There: true, Map: m, Progress: checkpoint.Progress{Owner: kafka.ProducerID{ID: 7}, Source: 10, Dest: 20}}
	p := &places{known: map[loop.ClusterID]noted{}}
	h, b := loop.Header{Cluster: []byte(id), At: loop.Coordinate{Offset: 3}}, loop.Batch{ProducerID: 8}
	for n := range 100 {
		p.known[id] = noted{[]checkpoint.Written{w}, loop.Tick(n + 1)}
		if got := p.Place(b, h, 15); got != loop.NotCovered || !p.again {
			t.Fatalf("looked at %d times, the place is %d", n+1, got)
		}
	}
	if err := m.AdvanceDest(20); err != nil {
		t.Fatal(err)
	}
	if got := p.Place(b, h, 15); got != loop.Elsewhere {
		t.Errorf("an application's, by the map: %d", got)
	}
	if got := p.Place(b, h, 5); got != loop.Here {
		t.Errorf("a writer's, by the map: %d", got)
	}
}
