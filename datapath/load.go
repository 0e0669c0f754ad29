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
	r.load = load{now, written, rates(r.load.written, written, took)}
	return r.load.rate
}

// rates are those between two measurements. A shard that was opened in between, or again, began at 0: what it wrote since then is less
// than it will write, but nearer to it than nothing, which would have it balanced as if it were idle.
func rates(before, written map[topology.Shard]int64, took time.Duration) map[topology.Shard]float64 {
	rate := make(map[topology.Shard]float64, len(written))
	for s, n := range written {
		from := before[s]
		if n < from {
			from = 0
		}
		rate[s] = float64(n-from) / took.Seconds()
	}
	return rate
}
