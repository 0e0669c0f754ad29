package loop

import (
	"slices"

	"github.com/meshd/meshd/topology"
)

// Survey is what a topology makes of one topic: which way each cluster's records go, what is wrong with that, and what is left of it
// when a cluster or a link is lost.
type Survey struct {
	Topic    string           `json:"topic"`
	Naming   topology.Naming  `json:"naming"` // "" where it has two
	Clusters []topology.Alias `json:"clusters"`
	Batch    bool             `json:"batch,omitempty"` // provenance: batch
	Copies   int              `json:"copies"`          // of a record at a cluster that it reaches
	Refused  []Finding        `json:"refused,omitempty"`
	Takes    []Take           `json:"takes"`
	Unheard  []Unheard        `json:"unheard,omitempty"`
	Fetches  []Fetch          `json:"fetches"`
	Losses   []Loss           `json:"losses"`
	Single   []string         `json:"single_points"` // of failure: clusters and links whose loss cuts others off from each other
}

// Finding is a reason for which a topology is refused.
type Finding struct {
	Code  string    `json:"code"` // two_namings | batch_third_cluster | two_provenances
	Text  string    `json:"text"`
	Links [2]string `json:"links"` // names; the second is the one that does not fit
}

// Take says from where a cluster takes an origin's records. There is one for each origin, so each cluster has one copy of a record.
type Take struct {
	Origin  topology.Alias   `json:"origin"`
	Cluster topology.Alias   `json:"cluster"`
	Source  topology.Alias   `json:"source"`
	Cost    int              `json:"cost"`
	Path    []topology.Alias `json:"path"`           // from the origin, both ends in it
	Instead []topology.Alias `json:"else,omitempty"` // other neighbours that get these records too, and not through the cluster itself
}

// Unheard is a cluster that never gets an origin's records, with the clusters that do get them.
type Unheard struct {
	Origin  topology.Alias   `json:"origin"`
	Cluster topology.Alias   `json:"cluster"`
	Reached []topology.Alias `json:"reached"` // the origin itself is the first
}

// Fetch is what is read over one link, in volumes of what one cluster produces. With identity naming the source's whole log comes, whatever
// is taken of it.
type Fetch struct {
	Pair  topology.Pair    `json:"pair"`
	Takes []topology.Alias `json:"takes"` // origins
	Reads int              `json:"reads"` // volumes
}

// Loss is what is left when a cluster or a link (both of its directions) is lost.
type Loss struct {
	Cluster topology.Alias  `json:"cluster,omitempty"`
	Link    *topology.Pair  `json:"link,omitempty"`
	Moved   []Take          `json:"moved,omitempty"`   // goes another way
	Cut     []topology.Pair `json:"cut,omitempty"`     // origin -> cluster that it does not reach any more
	Holders []topology.Pair `json:"holders,omitempty"` // of a lost cluster's records: who still hands on what it has -> to whom
}

// Single says whether others are cut off from each other by the loss.
func (l Loss) Single() bool { return len(l.Cut) > 0 }

// What names what is lost.
func (l Loss) What() string {
	if l.Link != nil {
		return "link " + string(l.Link.Source) + " - " + string(l.Link.Destination)
	}
	return "cluster " + string(l.Cluster)
}

// SurveyTopic looks at the graph of a topic. Every cluster in it counts as an origin.
func SurveyTopic(topic string, g Graph) Survey {
	s := Survey{Topic: topic, Clusters: g.Clusters(), Refused: g.refusals(topic)}
	if len(g) > 0 && !slices.ContainsFunc(g, func(e Edge) bool { return e.Naming != g[0].Naming }) {
		s.Naming = g[0].Naming
	}
	s.Batch = slices.ContainsFunc(g, func(e Edge) bool { return e.Provenance == Batches })
	s.Takes, s.Unheard = g.takes(s.Clusters)
	s.Copies = copies(s.Takes)
	s.Fetches = g.fetches(s.Clusters, s.Takes, s.Naming == topology.Identity)
	for _, c := range s.Clusters {
		s.Losses = append(s.Losses, g.loseCluster(c, s))
	}
	for i, e := range g {
		if !slices.ContainsFunc(g[:i], e.joins) {
			s.Losses = append(s.Losses, g.loseLink(e, s))
		}
	}
	for _, l := range s.Losses {
		if l.Single() {
			s.Single = append(s.Single, l.What())
		}
	}
	return s
}

func (e Edge) joins(o Edge) bool {
	return e.Pair == o.Pair || e.Source == o.Destination && e.Destination == o.Source
}

// takes says what each cluster takes from where.
func (g Graph) takes(clusters []topology.Alias) (takes []Take, unheard []Unheard) {
	for _, o := range clusters {
		ways := g.Ways(o)
		for _, c := range clusters {
			way, ok := ways[c]
			switch {
			case c == o:
			case ok:
				takes = append(takes, g.take(o, c, way))
			default:
				unheard = append(unheard, Unheard{o, c, reached(o, ways)})
			}
		}
	}
	return takes, unheard
}

func (g Graph) take(o, c topology.Alias, way Way) Take {
	t := Take{Origin: o, Cluster: c, Source: way.Path[len(way.Path)-2], Cost: way.Cost, Path: way.Path}
	for _, n := range g.Neighbours(o, c) {
		if n.Cost != None && n.Cluster != t.Source {
			t.Instead = append(t.Instead, n.Cluster)
		}
	}
	return t
}

// copies is the largest number of sources from which a cluster takes an origin's records.
func copies(takes []Take) (most int) {
	count := map[topology.Pair]int{}
	for _, t := range takes {
		p := topology.Pair{Source: t.Origin, Destination: t.Cluster}
		count[p]++
		most = max(most, count[p])
	}
	return most
}

// Volumes is what is read over all links, and what of that is needed.
func (s Survey) Volumes() (reads, needs int) {
	for _, f := range s.Fetches {
		reads, needs = reads+f.Reads, needs+len(f.Takes)
	}
	return reads, needs
}

func reached(o topology.Alias, ways map[topology.Alias]Way) []topology.Alias {
	var out []topology.Alias
	for a := range ways {
		if a != o {
			out = append(out, a)
		}
	}
	slices.Sort(out)
	return append([]topology.Alias{o}, out...)
}

// fetches says what goes over each link that is a source of something.
func (g Graph) fetches(clusters []topology.Alias, takes []Take, whole bool) (out []Fetch) {
	holds := map[topology.Alias]int{}
	for _, c := range clusters {
		holds[c]++
	}
	for _, t := range takes {
		holds[t.Cluster]++
	}
	for _, e := range g {
		f := Fetch{Pair: e.Pair}
		for _, t := range takes {
			if t.Source == e.Source && t.Cluster == e.Destination {
				f.Takes = append(f.Takes, t.Origin)
			}
		}
		if f.Reads = len(f.Takes); whole && f.Reads > 0 {
			f.Reads = holds[e.Source]
		}
		if f.Reads > 0 {
			out = append(out, f)
		}
	}
	return out
}
