package loop

import "github.com/meshd/meshd/topology"

// Advice is what a topic with identity naming costs, and what would cost less.
type Advice struct {
	Topic   string           `json:"topic"`
	Reads   int              `json:"reads"` // volumes that are read, in those that one cluster produces
	Needs   int              `json:"needs"` // of them
	Fetches []Fetch          `json:"fetches"`
	Batch   []topology.Alias `json:"batch,omitempty"` // the two clusters that carry it, where provenance: batch would do and is not set
}

// Advise looks at the topics with identity naming, by Examples.
func Advise(t *topology.Topology) (out []Advice, all bool) {
	topics, all := Examples(t)
	for _, topic := range topics {
		g := Carriers(t, topic)
		if g[0].Naming != topology.Identity {
			continue
		}
		clusters := g.Clusters()
		takes, _ := g.takes(clusters)
		s := Survey{Fetches: g.fetches(clusters, takes, true)}
		a := Advice{Topic: topic, Fetches: s.Fetches}
		a.Reads, a.Needs = s.Volumes()
		if len(clusters) == 2 && g[0].Provenance == Headers {
			a.Batch = clusters
		}
		out = append(out, a)
	}
	return out, all
}
