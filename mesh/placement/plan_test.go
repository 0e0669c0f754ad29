package placement_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/meshd/meshd/mesh/placement"
	"github.com/meshd/meshd/topology"
)

// smallest is what an idle shard counts, in bytes/s.
const smallest = 4 << 10

func shards(n int) []topology.Shard {
	var out []topology.Shard
	for i := range n {
		out = append(out, topology.Shard{Origin: topology.Alias(fmt.Sprintf("o%d", i/topology.Shards)), Destination: "dst", Number: i % topology.Shards})
	}
	return out
}

// scene is an input of Plan.
type scene struct {
	shards   []topology.Shard
	members  []string
	load     map[topology.Shard]float64
	previous placement.Assignment
}

func scenes(sticky bool) *rapid.Generator[scene] {
	return rapid.Custom(func(t *rapid.T) scene {
		s := scene{shards: shards(rapid.IntRange(1, 80).Draw(t, "shards")), load: map[topology.Shard]float64{}, previous: placement.Assignment{}}
		for i := range rapid.IntRange(1, 5).Draw(t, "members") {
			s.members = append(s.members, fmt.Sprintf("n%d", i))
		}
		owners := append(slices.Clone(s.members), "gone", "")
		if sticky {
			owners = s.members
		}
		heavy := rapid.SampledFrom([]float64{0, 0, 1, 1e4, 1e5, 1e6, 1e7, math.NaN(), -1})
		for _, shard := range s.shards {
			if l := heavy.Draw(t, "load"); l != 0 {
				s.load[shard] = l
			}
			if owner := rapid.SampledFrom(owners).Draw(t, "owner"); owner != "" {
				s.previous[shard] = owner
			}
		}
		return s
	})
}

func (s scene) plan() placement.Assignment {
	return placement.Plan(s.shards, s.members, s.load, s.previous)
}

func (s scene) weight(shard topology.Shard) float64 {
	if l := s.load[shard]; l > 0 {
		return smallest + math.Floor(l)
	}
	return smallest
}

func (s scene) loads(a placement.Assignment) map[string]float64 {
	loads := map[string]float64{}
	for _, m := range s.members {
		loads[m] = 0
	}
	for shard, node := range a {
		loads[node] += s.weight(shard)
	}
	return loads
}

func TestPlanAssignsEveryShardToAMember(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := scenes(false).Draw(t, "scene")
		got := s.plan()
		if len(got) != len(s.shards) {
			t.Fatalf("%d of %d shards assigned", len(got), len(s.shards))
		}
		for shard, node := range got {
			if !slices.Contains(s.members, node) {
				t.Fatalf("%s went to %q", shard, node)
			}
		}
	})
}

func TestPlanMovesOnlyWhatLostItsOwner(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := scenes(false).Draw(t, "scene")
		homeless := slices.ContainsFunc(s.shards, func(shard topology.Shard) bool { return !slices.Contains(s.members, s.previous[shard]) })
		got := s.plan()
		for _, shard := range s.shards {
			if was := s.previous[shard]; homeless && slices.Contains(s.members, was) && got[shard] != was {
				t.Fatalf("%s moved from %s, which lives, to %s", shard, was, got[shard])
			}
		}
		if diff := cmp.Diff(placement.Place(s.shards, s.members, s.load, s.previous), got); homeless && diff != "" {
			t.Fatalf("Place and Plan differ:\n%s", diff)
		}
	})
}

// The heaviest node carries no more than the mean and the larger of a quarter of it and one shard.
func TestPlanBalances(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := scenes(true).Draw(t, "scene")
		got := s.plan()
		var sum, most, largest float64
		for _, l := range s.loads(got) {
			sum, most = sum+l, max(most, l)
		}
		for _, shard := range s.shards {
			largest = max(largest, s.weight(shard))
		}
		mean := sum / float64(len(s.members))
		if most > mean+max(mean/4, largest)+1 {
			t.Fatalf("the heaviest of %v carries %.0f, the mean is %.0f, the largest shard %.0f", s.loads(got), most, mean, largest)
		}
	})
}

func TestPlanComesToRest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := scenes(true).Draw(t, "scene")
		s.previous = s.plan()
		if diff := cmp.Diff(s.previous, s.plan()); diff != "" {
			t.Fatalf("a second plan moves:\n%s", diff)
		}
	})
}

// Against the dumb bound: bringing every node down to the quarter above the mean needs at least as many bytes/s moved as stand above
// it; a plan moves no more than brings the lightest up and the heaviest down to the mean, and one shard a node over.
func TestPlanMovesLittle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := scenes(true).Draw(t, "scene")
		var moved, excess, largest float64
		got := s.plan()
		for _, shard := range s.shards {
			largest = max(largest, s.weight(shard))
			if got[shard] != s.previous[shard] {
				moved += s.weight(shard)
			}
		}
		loads := s.loads(s.previous)
		var sum float64
		for _, l := range loads {
			sum += l
		}
		for _, l := range loads {
			excess += max(0, l-sum/float64(len(loads)))
		}
		if moved > excess+float64(len(loads))*largest+1 {
			t.Fatalf("moved %.0f, above the mean were %.0f", moved, excess)
		}
	})
}

func TestPlanDoesNotDependOnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := scenes(false).Draw(t, "scene")
		want := s.plan()
		s.members = rapid.Permutation(s.members).Draw(t, "members")
		s.shards = rapid.Permutation(s.shards).Draw(t, "shards")
		if diff := cmp.Diff(want, s.plan()); diff != "" {
			t.Fatalf("another order, another plan:\n%s", diff)
		}
	})
}

func TestPlan(t *testing.T) {
	two := []string{"a", "b"}
	all := func(n int, node string) placement.Assignment {
		a := placement.Assignment{}
		for _, s := range shards(n) {
			a[s] = node
		}
		return a
	}
	hot := map[topology.Shard]float64{shards(1)[0]: 1e7}
	tests := []struct {
		name     string
		n        int
		members  []string
		load     map[topology.Shard]float64
		previous placement.Assignment
		moved    int
		most     int // shards on the node that has most
	}{
		{name: "first", n: 64, members: []string{"a", "b", "c"}, moved: 64, most: 22},
		{name: "nobody is there", n: 8, previous: all(8, "a"), most: 8},
		{name: "a node joins", n: 64, members: two, previous: all(64, "a"), moved: 28, most: 36},
		{name: "its only node is back", n: 8, members: []string{"a"}, previous: all(8, "a"), most: 8},
		{name: "one hot shard, the idle ones don't matter", n: 64, members: two, load: hot, previous: all(64, "a"), moved: 1, most: 63},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := placement.Plan(shards(tt.n), tt.members, tt.load, tt.previous)
			moved, counts := 0, map[string]int{}
			for shard, node := range got {
				counts[node]++
				if tt.previous[shard] != node {
					moved++
				}
			}
			most := 0
			for _, n := range counts {
				most = max(most, n)
			}
			if moved != tt.moved || most != tt.most {
				t.Errorf("moved %d, the most on a node is %d; want %d and %d", moved, most, tt.moved, tt.most)
			}
		})
	}
}

func TestRankIsAnOrderOfTheShardsOwn(t *testing.T) {
	nodes := []string{"a", "b", "c"}
	first := map[string]int{}
	for _, shard := range shards(320) {
		ranks := map[int]string{}
		for _, n := range nodes {
			ranks[placement.Rank(shard, nodes, n)] = n
		}
		if len(ranks) != len(nodes) {
			t.Fatalf("%s: ranks %v", shard, ranks)
		}
		first[ranks[0]]++
	}
	for _, n := range nodes {
		if first[n] < 70 || first[n] > 150 {
			t.Errorf("%s comes first for %d of 320 shards", n, first[n])
		}
	}
}

func TestShards(t *testing.T) {
	topo := &topology.Topology{
		Clusters: map[topology.Alias]topology.Cluster{"us": {Datacenter: "east"}, "eu": {Datacenter: "west"}, "ap": {Datacenter: "west"}},
		Nodes:    map[string]topology.Node{"w2": {Datacenter: "west"}, "w1": {Datacenter: "west"}, "e1": {Datacenter: "east"}},
		Links:    []topology.Link{{Pairs: []topology.Pair{{Source: "us", Destination: "eu"}, {Source: "eu", Destination: "us"}, {Source: "eu", Destination: "ap"}}}},
	}
	if got := placement.Shards(topo, "west"); len(got) != 3*topology.Shards || got[0].Origin != "eu" || got[32].Origin != "us" || got[95].Destination != "eu" { // us comes to ap through eu
		t.Errorf("%v", got)
	}
	if diff := cmp.Diff([]string{"w1", "w2"}, placement.Nodes(topo, "west")); diff != "" {
		t.Error(diff)
	}
}
