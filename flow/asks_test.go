package flow

import (
	"log/slog"
	"testing"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// What a part asks for while the shard looks is seen to once, by whoever looks next.
func TestWhatIsAskedForIsTakenOnce(t *testing.T) {
	s := newShard(topology.Shard{}, told{}, &env{}, nil, slog.New(slog.DiscardHandler))
	const n = 20_000
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		for range n {
			s.outOfRange(&part{})
		}
	}()
	seen := map[*part]int{}
	look := func() {
		for p := range taken(s, &s.ranges) {
			seen[p]++
		}
	}
	for done := false; !done; {
		select {
		case <-asked:
			done = true
		default:
		}
		look()
	}
	for _, times := range seen {
		if times != 1 {
			t.Fatalf("a part was taken %d times", times)
		}
	}
	if len(seen) != n {
		t.Errorf("%d parts were taken of %d", len(seen), n)
	}
	s.partStuck(&part{}, kafka.Reason{})
	if got := len(taken(s, &s.stuck)); got != 1 || taken(s, &s.stuck) != nil {
		t.Errorf("%d parts were taken", got)
	}
}
