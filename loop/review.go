package loop

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshd/meshd/topology"
)

// Review is what is to be said of a topology that can be read.
type Review struct {
	Refused topology.Problems // why it is not taken
	Said    topology.Problems // what is probably not meant, and what can't be known before topics are found
}

// Err is what is refused; nil if nothing is.
func (r Review) Err() error {
	if len(r.Refused) == 0 {
		return nil
	}
	return r.Refused
}

// ReviewTopology looks at the topics that links carry, by examples: which of them can't be carried so, and which clusters never hear of
// each other. Its work is bounded, whatever the expressions; what it could not look at, it says.
func ReviewTopology(t *topology.Topology) Review {
	v := reviewer{t: t, reachable: t.Reachable(), told: map[string]bool{}}
	topics, all := Examples(t)
	for _, topic := range topics {
		v.look(topic)
	}
	if !all {
		v.compare()
		v.say(t.Problem("links", "the expressions are too many to tell every way in which topics are carried", "each topic is looked at when it is found"))
	}
	return v.Review
}

type reviewer struct {
	Review
	t         *topology.Topology
	reachable map[topology.Alias][]topology.Alias
	told      map[string]bool // what was said, but for the topic
}

const (
	maxSaid  = 20 // of one kind; more is not read
	maxParts = 3  // in one line
)

// look says what is to be said of one topic.
func (v *reviewer) look(topic string) {
	g := Carriers(v.t, topic)
	refusals := g.refusals(topic)
	for _, f := range refusals {
		v.refuse(topic, f)
	}
	if len(refusals) == 0 {
		v.unheard(topic, g)
	}
}

// refuse tells a finding once for the links that it concerns, with the first topic.
func (v *reviewer) refuse(topic string, f Finding) {
	if !v.first(f.Code, f.Links[0], f.Links[1]) || len(v.Refused) == maxSaid {
		return
	}
	key, hint := "provenance", "set provenance: headers, or exclude the topic from one of the links"
	if f.Code == twoNamings {
		key, hint = "naming", "give it one naming in both links, or exclude it from one of them"
	}
	link := slices.IndexFunc(v.t.Links, func(l topology.Link) bool { return l.Name == f.Links[1] })
	v.Refused = append(v.Refused, v.t.Problem(v.t.SettingPath(link, topic, key), f.Text, hint))
}

// unheard tells which clusters do not get an origin's records. With prefix naming a link of one direction is a choice, so there it is
// told only where links lead on, but not for this topic; with identity naming a topic is meant to be the same everywhere. A cluster to
// which nothing is written hears of nobody.
func (v *reviewer) unheard(topic string, g Graph) {
	naming := g[0].Naming
	who := slices.DeleteFunc(g.unheard(), func(u Unheard) bool {
		return v.t.Clusters[u.Cluster].ReadOnly || naming == topology.Prefix && !slices.Contains(v.reachable[u.Origin], u.Cluster)
	})
	what := []string{string(naming)}
	for _, u := range who {
		what = append(what, string(u.Origin), string(u.Cluster))
	}
	if len(who) == 0 || !v.first(what...) {
		return
	}
	var parts []string
	for _, u := range who[:min(len(who), maxParts)] {
		parts = append(parts, u.String())
	}
	if more := len(who) - maxParts; more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}
	link := slices.IndexFunc(v.t.Links, func(l topology.Link) bool { return l.Name == g[0].Link })
	v.say(v.t.Problem(fmt.Sprintf("links[%d]", link), fmt.Sprintf("topic %s (%s): %s", topic, naming, strings.Join(parts, "; ")), ""))
}

func (v *reviewer) say(p topology.Problem) {
	if len(v.Said) < maxSaid {
		v.Said = append(v.Said, p)
	}
}

// first says whether something is told for the first time.
func (v *reviewer) first(words ...string) bool {
	key := strings.Join(words, "\n")
	was := v.told[key]
	v.told[key] = true
	return !was
}
