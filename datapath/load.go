package datapath

import (
	"time"

	"github.com/meshd/meshd/topology"
)

// load measures bytes per second between two questions.
type load struct {
	at      time.Time
	written map[topology.Shard]int64
	rate    map[topology.Shard]float64
}

const loadOver = 5 * time.Second // a rate is measured over at least so long

// Load is the bytes/s that each running shard has written lately.
func (r *Runner) Load() map[topology.Shard]float64 {
	r.loads.Lock()
	defer r.loads.Unlock()
	now := time.Now()
	took := now.Sub(r.load.at)
	if took < loadOver {
		return r.load.rate
	}
	written := r.Manager.Written()
	rate := make(map[topology.Shard]float64, len(written))
	for s, n := range written {
		if before, ok := r.load.written[s]; ok && n >= before {
			rate[s] = float64(n-before) / took.Seconds()
		}
	}
	r.load = load{now, written, rate}
	return rate
}
