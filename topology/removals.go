package topology

import "maps"

// Removals is what an edit takes away.
type Removals struct {
	Clusters []Alias // in the order of their names
	Flows    int     // before the edit
	Lost     int     // of them, those that the edit ends
}

// NeedConsent says whether the edit needs --allow-removals: it removes a cluster, or more than a fifth of the flows.
func (r Removals) NeedConsent() bool { return len(r.Clusters) > 0 || 5*r.Lost > r.Flows }

// Losses counts what an edit takes away. topics names the topics at each cluster as last seen; each pair whose source is not in it
// counts as one flow.
func Losses(before, after *Topology, topics map[Alias][]string) Removals {
	var r Removals
	for _, a := range before.Aliases() {
		if _, ok := after.Clusters[a]; !ok {
			r.Clusters = append(r.Clusters, a)
		}
	}
	links := maps.Collect(after.Pairs())
	for pair, was := range before.Pairs() {
		is := links[pair]
		names, known := topics[pair.Source]
		if !known {
			r.count(is == nil)
		}
		for _, name := range names {
			if _, carried := was.Topic(name); carried {
				r.count(!carries(is, name))
			}
		}
	}
	return r
}

func (r *Removals) count(lost bool) {
	r.Flows++
	if lost {
		r.Lost++
	}
}

func carries(l *Link, topic string) bool {
	if l == nil {
		return false
	}
	_, ok := l.Topic(topic)
	return ok
}
