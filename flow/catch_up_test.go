package flow

import (
	"testing"

	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
)

// What a hub passed without a record is passed here, once all of its log was read of which it said so.
func TestCatchesUpWithAHub(t *testing.T) {
	said := offered{frontier: loop.Coordinate{Epoch: 3, Offset: 101}, end: srcPlace{200, 5}}
	for name, c := range map[string]struct {
		at    offsetxlate.Source
		epoch int32
		busy  bool
		want  int64
	}{
		"all of it was read":           {200, 5, false, 101},
		"more than that was read":      {250, 5, false, 101},
		"not all of it":                {199, 5, false, 100},
		"another leader's log":         {200, 6, false, 100},
		"the last is not acknowledged": {200, 5, true, 100},
	} {
		t.Run(name, func(t *testing.T) {
			p := loose(&mute{})
			p.Identity, p.Origin, p.Source = true, "us", "eu"
			p.sieve.prefix, p.sieve.origin = nil, 1
			p.sieve.judge = &loop.Judge{Source: 2, From: []bool{false, true}, Taken: loop.NewFrontiers(0)}
			p.prog.Source, p.prog.SourceEpoch = 100, 3
			p.state, p.at, p.lastEpoch = Streaming, c.at, c.epoch
			if c.busy {
				p.busy = []*chunk{{}}
			}
			p.catchUp("eu", said, p.frontier(0))
			if got := p.frontier(0); got.Offset != c.want {
				t.Errorf("the frontier is %s", got)
			}
		})
	}
}
