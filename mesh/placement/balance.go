package placement

import (
	"cmp"
	"slices"

	"github.com/meshd/meshd/topology"
)

// Nodes are in balance when the heaviest carries no more above the lightest than a quarter of the mean. Less would move shards, each
// of which stands still for a moment, for what the load does by itself from one minute to the next.
const tolerance = 4

// balance moves shards from heavier nodes to the lightest until they are in balance or no move helps. Each move brings its two nodes
// nearer to each other, so the sum of squares falls and the loop ends.
func (p *plan) balance() {
	for len(p.nodes) > 1 && p.move() {
		continue
	}
}

func (p *plan) move() bool {
	byLoad := slices.SortedFunc(slices.Values(p.nodes), func(a, b *bin) int {
		return cmp.Or(cmp.Compare(b.load, a.load), cmp.Compare(a.name, b.name))
	})
	lightest := byLoad[len(byLoad)-1]
	for _, heavy := range byLoad[:len(byLoad)-1] {
		if s, ok := p.pick(heavy, heavy.load-lightest.load); ok {
			p.take(s, heavy)
			p.give(s, lightest)
			return true
		}
	}
	return false
}

// slack is what is in balance.
func (p *plan) slack() int64 {
	var sum int64
	for _, n := range p.nodes {
		sum += n.load
	}
	return sum / int64(len(p.nodes)) / tolerance
}

// pick returns the shard of a node that, moved to one lighter by diff, leaves the two closest. Small ones are left alone where all of
// them together would not bring balance: beside one hot shard it does not matter where the idle ones are.
func (p *plan) pick(from *bin, diff int64) (best topology.Shard, ok bool) {
	slack := p.slack()
	if diff <= slack {
		return best, false
	}
	var closest, dust int64 = diff, 0
	for _, s := range from.shards {
		w := p.weight[s]
		if left := abs(diff - 2*w); left < closest {
			best, closest, ok = s, left, true
		}
		if 2*w <= diff {
			dust += w
		}
	}
	if ok && 10*p.weight[best] < diff && 2*dust < diff-slack {
		return topology.Shard{}, false
	}
	return best, ok
}

func abs(n int64) int64 { return max(n, -n) }
