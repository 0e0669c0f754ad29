package admin

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/topology"
)

var gravity = map[Level]int{LevelWarning: 0, LevelError: 1, LevelCritical: 2}

// sortProblems puts the worst first, and among equals what concerns most.
func sortProblems(ps []Problem) {
	slices.SortFunc(ps, func(a, b Problem) int {
		return cmp.Or(gravity[b.Level]-gravity[a.Level], b.Count-a.Count, strings.Compare(a.Where, b.Where), strings.Compare(a.Code, b.Code),
			strings.Compare(a.Of, b.Of), strings.Compare(a.Text, b.Text))
	})
}

// problems are all that the data path tells. What a cluster that does not answer explains is not told again for each link.
func problems(s flow.Status, links []LinkStatus) []Problem {
	out := []Problem{}
	silent := map[topology.Alias]string{} // code of the reason
	for _, c := range s.Clusters {
		if c.Error != "" {
			silent[c.Alias] = cmp.Or(c.Code, kafka.ClusterUnreachable)
			out = append(out, because(LevelCritical, "cluster "+string(c.Alias), kafka.Because(silent[c.Alias], c.Error, c.Hint), "cluster"))
		}
	}
	for _, p := range s.Pairs {
		out = append(out, pairProblems(p, sourcesOf(p, links), silent)...)
	}
	out = append(out, emptyLinks(s, links)...)
	sortProblems(out)
	return out
}

// pairProblems are those of a pair whose records are read at sources.
func pairProblems(p flow.PairStatus, sources []topology.Alias, silent map[topology.Alias]string) []Problem {
	quiet := slices.ContainsFunc(sources, func(a topology.Alias) bool { return silent[a] != "" })
	var own []Problem
	if r := p.Reason; r != nil && r.Code != silent[p.Destination] && !slices.ContainsFunc(sources, func(a topology.Alias) bool { return silent[a] == r.Code }) {
		own = append(own, because(LevelCritical, pairOf(p).String(), *r, "link"))
	}
	own = slices.Concat(own, topicProblems(p), shardProblems(p), partProblems(p))
	own = slices.DeleteFunc(own, func(q Problem) bool { return explained(q.Code, quiet, silent[p.Destination] != "") })
	return slices.Concat(own, detours(p))
}

// sourcesOf are the clusters at which a pair is read.
func sourcesOf(p flow.PairStatus, links []LinkStatus) []topology.Alias {
	out := []topology.Alias{}
	if i := slices.IndexFunc(links, func(l LinkStatus) bool { return l.Link == pairOf(p).String() }); i >= 0 {
		out = links[i].Via
	}
	here := func(t flow.TopicStatus) bool { return t.From == "" || t.From == p.Source }
	if len(out) == 0 || slices.ContainsFunc(p.Topics, here) {
		out = append(slices.Clone(out), p.Source)
	}
	return out
}

// detours are topics that are read elsewhere than where they are nearest.
func detours(p flow.PairStatus) []Problem {
	g := gathered{}
	for _, t := range p.Topics {
		if t.Why == loop.Unreachable || t.Why == loop.LeftBehind {
			g.add(LevelWarning, pairOf(p).String(), kafka.Because(readElsewhere, fmt.Sprintf("%s is read at %s: %s", t.Topic, t.From, t.Why), "it is read there again when that has been well for a while"), "topic")
		}
	}
	return g
}

// explained says whether a reason is that a cluster is silent which is told already.
func explained(code string, source, destination bool) bool {
	switch code {
	case kafka.ClusterUnreachable, kafka.LoginRefused:
		return source || destination
	case kafka.SourceUnreachable:
		return source
	case kafka.DestinationUnreachable:
		return destination
	}
	return false
}

func because(l Level, where string, r kafka.Reason, of string) Problem {
	return Problem{Level: l, Where: where, Code: r.Code, Text: r.Text, Hint: r.Hint, Count: 1, Of: of}
}

func topicProblems(p flow.PairStatus) (out []Problem) {
	for _, t := range p.Topics {
		if t.Drift != nil {
			out = append(out, because(LevelWarning, fmt.Sprintf("%s: %s", pairOf(p), t.Topic), *t.Drift, "topic"))
		}
		if t.Reason == nil {
			continue
		}
		level := LevelError
		if t.Reason.Code == kafka.Unclaimed {
			level = LevelWarning
		}
		out = append(out, because(level, fmt.Sprintf("%s: %s", pairOf(p), t.Topic), *t.Reason, "topic"))
	}
	return out
}

// shardProblems tells a reason that many shards share once.
func shardProblems(p flow.PairStatus) []Problem {
	g := gathered{}
	for _, s := range p.Shards {
		if s.Reason != nil {
			g.add(LevelError, pairOf(p).String(), *s.Reason, "shard")
		}
		for _, w := range s.Warnings {
			g.add(LevelWarning, pairOf(p).String(), w, "shard")
		}
	}
	return g
}

// partProblems tells once what partitions of a topic share, in the words of the first.
func partProblems(p flow.PairStatus) []Problem {
	g := gathered{}
	shards := shardReasons(p)
	for _, ps := range p.Partitions {
		if ps.Reason != nil && *ps.Reason != shards[ps.Shard] {
			g.add(LevelError, fmt.Sprintf("%s: %s", pairOf(p), ps.Topic), *ps.Reason, "partition")
		}
		for _, w := range ps.Warnings {
			g.add(LevelWarning, fmt.Sprintf("%s: %s", pairOf(p), ps.Topic), w, "partition")
		}
	}
	return g
}

type gathered []Problem

func (g *gathered) add(l Level, where string, r kafka.Reason, of string) {
	for i := range *g {
		if (*g)[i].Where == where && (*g)[i].Code == r.Code {
			(*g)[i].Count++
			return
		}
	}
	*g = append(*g, because(l, where, r, of))
}

// emptyLinks are links whose patterns match nothing: more often a mistake than a wish.
func emptyLinks(s flow.Status, links []LinkStatus) (out []Problem) {
	for _, p := range s.Pairs {
		i := slices.IndexFunc(links, func(l LinkStatus) bool { return l.Link == pairOf(p).String() })
		if p.Ready && p.Reason == nil && len(p.Topics) == 0 && i >= 0 && links[i].Name != "" && links[i].State != Paused {
			out = append(out, Problem{
				Level: LevelWarning, Where: links[i].Link, Code: noTopics, Count: 1, Of: "link",
				Text: fmt.Sprintf("no topic of %s is carried", p.Source), Hint: "compare topics.include of the link with the topics there",
			})
		}
	}
	return out
}
