package rebuild

import (
	"math/rand/v2"
	"testing"
)

// TestBetween finds every producer id of a writer whose batches lie among others', and looks at few of them.
func TestBetween(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		var log []place // the writer's
		at, id := int64(r.IntN(5)), int64(1)
		for range 1 + r.IntN(2000) {
			at += int64(r.IntN(3) * r.IntN(50))
			n := int64(1 + r.IntN(20))
			log = append(log, place{id, at, at + n})
			if at += n; r.IntN(500) == 0 {
				id++
			}
		}
		found, probes := map[int64]bool{log[0].id: true}, 0
		err := between(log[0], place{id + int64(r.IntN(2)), at, at}, func(s span) (place, error) {
			probes++
			for _, p := range log {
				if p.to > s.start && p.from < s.end {
					found[p.id] = true
					return p, nil
				}
			}
			return place{id: -1}, nil
		})
		if err != nil || len(found) != int(id) {
			t.Fatalf("seed %d: %d of %d ids were found, %v", seed, len(found), id, err)
		}
		if most := int(id+1) * 40; probes > most {
			t.Errorf("seed %d: %d probes for %d ids in %d batches", seed, probes, id, len(log))
		}
	}
}
