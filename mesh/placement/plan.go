package placement

import (
	"cmp"
	"math"
	"slices"

	"github.com/meshd/meshd/raftstore/state"
	"github.com/meshd/meshd/topology"
)

// Assignment says which node should write each shard.
type Assignment map[topology.Shard]string

// small is the load, in bytes/s, of a shard that is idle or was not measured yet: it counts, but little. It keeps idle shards spread.
const small = 4 << 10

// Plan places the shards on the members with least movement, weighted by measured bytes/s. A shard whose owner is a member stays,
// unless the members are out of balance; then single shards move from the heaviest to the lightest. A plan that has shards to place,
// because their owner is gone or they are new, moves nothing else. Without a member it returns what was.
func Plan(shards []topology.Shard, members []string, load map[topology.Shard]float64, previous Assignment) Assignment {
	p := newPlan(shards, members, load)
	if p.place(previous) == 0 {
		p.balance()
	}
	return p.assignment
}

// Place is Plan without a thought for balance: only shards without a living owner are given one.
func Place(shards []topology.Shard, members []string, load map[topology.Shard]float64, previous Assignment) Assignment {
	p := newPlan(shards, members, load)
	p.place(previous)
	return p.assignment
}

// plan is one run. Weights are whole numbers, so that sums don't depend on the order of adding.
type plan struct {
	shards     []topology.Shard // in order
	nodes      []*bin           // in the order of their names
	weight     map[topology.Shard]int64
	assignment Assignment
}

type bin struct {
	name   string
	load   int64
	shards []topology.Shard // in order
}

func newPlan(shards []topology.Shard, members []string, load map[topology.Shard]float64) *plan {
	p := &plan{shards: sorted(shards), weight: make(map[topology.Shard]int64, len(shards)), assignment: Assignment{}}
	for _, s := range p.shards {
		p.weight[s] = weigh(load[s])
	}
	members = slices.Clone(members)
	slices.Sort(members)
	for _, name := range slices.Compact(members) {
		p.nodes = append(p.nodes, &bin{name: name})
	}
	return p
}

func weigh(bytesPerSecond float64) int64 {
	if math.IsNaN(bytesPerSecond) || bytesPerSecond < 0 {
		return small
	}
	return small + int64(min(bytesPerSecond, 1<<40))
}

// place gives every shard an owner and returns how many had none among the members. The heaviest come first, each to the lightest
// node; of equal ones to the first in the shard's own order, which spreads them.
func (p *plan) place(previous Assignment) int {
	var homeless []topology.Shard
	for _, s := range p.shards {
		owner := previous[s]
		if i, ok := slices.BinarySearchFunc(p.nodes, owner, func(b *bin, name string) int { return cmp.Compare(b.name, name) }); ok {
			p.give(s, p.nodes[i])
		} else if len(p.nodes) > 0 {
			homeless = append(homeless, s)
		} else if owner != "" {
			p.assignment[s] = owner
		}
	}
	slices.SortStableFunc(homeless, func(a, b topology.Shard) int { return cmp.Compare(p.weight[b], p.weight[a]) })
	for _, s := range homeless {
		p.give(s, slices.MinFunc(p.nodes, func(a, b *bin) int {
			return cmp.Or(cmp.Compare(a.load, b.load), cmp.Compare(score(s, b.name), score(s, a.name)))
		}))
	}
	return len(homeless)
}

func (p *plan) give(s topology.Shard, to *bin) {
	at, _ := slices.BinarySearchFunc(to.shards, s, state.CompareShards)
	to.shards = slices.Insert(to.shards, at, s)
	to.load += p.weight[s]
	p.assignment[s] = to.name
}

func (p *plan) take(s topology.Shard, from *bin) {
	at, _ := slices.BinarySearchFunc(from.shards, s, state.CompareShards)
	from.shards = slices.Delete(from.shards, at, at+1)
	from.load -= p.weight[s]
}
