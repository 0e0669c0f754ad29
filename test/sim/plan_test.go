package sim

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/meshd/meshd/loop"
)

// kind is a kind of event.
type kind int

const (
	takeOver kind = iota
	zombies
	topologies
	links
	outages
	loss // a cluster for ever
	truncation
	election
	retention
	recreation
	registries
	progresses
	expiries // of producer ids
	copies   // applications that copy headers
	kinds
)

var kindNames = [kinds]string{
	"take-over", "zombies", "topologies", "links", "outages", "loss", "truncation", "election", "retention", "recreation", "registry", "progress", "expiry", "copies",
}

// plan is what a seed makes of a mesh.
type plan struct {
	clusters int
	shape    string
	topics   []topicPlan
	graphs   version
	may      [kinds]bool
	goOn     bool // on_gap: continue
	agree    bool // persons accept, rebuild and go on, in the end
	steps    int
}

type topicPlan struct {
	name       string
	parts      int
	provenance loop.Provenance
}

const shards = 2

// shardOf is the shard of a partition.
func shardOf(topic string, part int) int { return (len(topic) + part) % shards }

func newPlan(seed uint64, steps int) plan {
	rng := rand.New(rand.NewPCG(seed, 0))
	shape := shapes[rng.IntN(len(shapes))]
	p := plan{clusters: 3 + []int{0, 0, 0, 1, 1, 2}[rng.IntN(6)], shape: shape.name, graphs: version{}, goOn: rng.IntN(3) > 0, agree: rng.IntN(4) > 0, steps: steps}
	pairs := shape.pairs(p.clusters, rng)
	p.add(topicPlan{"orders", 2, loop.Headers}, build(pairs, rng))
	p.add(topicPlan{"audit", 1, loop.Headers}, thinned(p.graphs["orders"], rng, 4))
	if rng.IntN(3) == 0 { // two clusters alone, whatever else joins them
		p.add(topicPlan{"pair", 1, loop.Batches}, loop.Graph{edge(0, 1, 1), edge(1, 0, 1)})
	}
	few := rng.IntN(4) // in some runs everything may happen
	for k := range p.may {
		p.may[k] = few == 0 || rng.IntN(2) == 0
	}
	return p
}

func (p *plan) add(t topicPlan, g loop.Graph) {
	p.topics, p.graphs[t.name] = append(p.topics, t), g
}

// carries says whether a cluster takes part in a topic: those of provenance batch are two clusters' alone.
func (t topicPlan) carries(c int) bool { return t.provenance == loop.Headers || c < 2 }

func (p plan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d clusters, %s", p.clusters, p.shape)
	for _, t := range p.topics {
		fmt.Fprintf(&b, "; %s/%d:", t.name, t.parts)
		for _, e := range p.graphs[t.name] {
			fmt.Fprintf(&b, " %s(%d)", e.Pair, e.Cost)
		}
	}
	fmt.Fprintf(&b, "; on_gap continue %v; persons accept %v; may happen:", p.goOn, p.agree)
	for k, yes := range p.may {
		if yes {
			fmt.Fprintf(&b, " %s", kindNames[k])
		}
	}
	return b.String()
}

// clusterID is the id of a model cluster.
func clusterID(i int) loop.ClusterID {
	id, err := loop.NewClusterID("cluster-" + string(name(i)))
	if err != nil {
		panic(err)
	}
	return id
}
