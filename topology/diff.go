package topology

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Kinds of Change.
const (
	Added   = "added"
	Removed = "removed"
	Changed = "changed"
)

// Change is one difference between two versions of a topology, as a person would tell it.
type Change struct {
	Kind     string // Added, Removed or Changed
	What     string // cluster us, node us-1, link retail, pair us->eu, or the path of a key
	From, To string // as in the file, on one line; "" where there is none
}

func (c Change) String() string {
	switch {
	case c.From == "" && c.To == "":
		return c.Kind + " " + c.What
	case c.Kind == Changed:
		return fmt.Sprintf("changed %s: %s -> %s", c.What, c.From, c.To)
	}
	return fmt.Sprintf("%s %s: %s", c.Kind, c.What, cmp.Or(c.To, c.From))
}

// Diff tells what an edit does: clusters, nodes, links and pairs that come and go, and the keys that change in those that stay. Both
// topologies have to be parsed ones.
func Diff(before, after *Topology) []Change {
	a, b := flatten(before), flatten(after)
	var out []Change
	for _, path := range slices.Sorted(maps.Keys(union(a, b))) {
		from, was := a[path]
		to, is := b[path]
		if owner := entity(path); owner != "" && owner != path && exists(a, owner) != exists(b, owner) {
			continue // told once, at the cluster, node or link
		}
		switch {
		case !was:
			out = append(out, Change{Added, nounOf(path), "", to})
		case !is:
			out = append(out, Change{Removed, nounOf(path), from, ""})
		case from != to:
			out = append(out, Change{Changed, nounOf(path), from, to})
		}
	}
	return append(out, diffPairs(before, after)...)
}

func union(a, b map[string]string) map[string]string {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}

func exists(m map[string]string, key string) bool {
	_, ok := m[key]
	return ok
}

func diffPairs(before, after *Topology) []Change {
	a, b := linkOf(before), linkOf(after)
	var out []Change
	for pair, from := range a {
		if to, ok := b[pair]; !ok {
			out = append(out, Change{Removed, "pair " + pair.String(), "", ""})
		} else if from != to {
			out = append(out, Change{Changed, "pair " + pair.String(), "link " + from, "link " + to})
		}
	}
	for pair := range b {
		if _, ok := a[pair]; !ok {
			out = append(out, Change{Added, "pair " + pair.String(), "", ""})
		}
	}
	slices.SortFunc(out, func(x, y Change) int { return cmp.Compare(x.What, y.What) })
	return out
}

func linkOf(t *Topology) map[Pair]string {
	out := map[Pair]string{}
	for pair, l := range t.Pairs() {
		out[pair] = l.Name
	}
	return out
}

// sections are the mappings and the list whose entries are told as one when they come or go.
var sections = map[string]string{"clusters": "cluster", "nodes": "node", "links": "link"}

// flat is a path in a flattened file. Names may have dots, so a path ends its names with a slash: nodes/us-1.example.com/raft.
const flat = "/"

// entity is the part of a path that names a cluster, node or link; "" for other keys.
func entity(path string) string {
	parts := strings.SplitN(path, flat, 3)
	if len(parts) < 2 || sections[parts[0]] == "" {
		return ""
	}
	return parts[0] + flat + parts[1]
}

func nounOf(path string) string {
	if section, name, ok := strings.Cut(path, flat); ok && entity(path) == path {
		return sections[section] + " " + name
	}
	return strings.ReplaceAll(path, flat, ".")
}

// flatten makes path -> value of a file. Lists other than that of the links are one value. Clusters, nodes and links also stand there
// by themselves, without a value.
func flatten(t *Topology) map[string]string {
	out := map[string]string{}
	var walk func(path string, n *yaml.Node)
	walk = func(path string, n *yaml.Node) {
		if path != "" && entity(path) == path {
			out[path] = ""
		}
		switch {
		case n.Kind == yaml.MappingNode:
			for i := 0; i+1 < len(n.Content); i += 2 {
				walk(strings.TrimPrefix(path+flat+n.Content[i].Value, flat), n.Content[i+1])
			}
		case path == "links":
			for i, link := range n.Content {
				walk(path+flat+t.Links[i].Name, link)
			}
		default:
			out[path] = inline(n)
		}
	}
	walk("", t.root)
	return out
}

// inline writes a value on one line.
func inline(n *yaml.Node) string {
	var parts []string
	switch n.Kind {
	case yaml.MappingNode:
		for _, i := range sortedKeys(n) {
			parts = append(parts, n.Content[i].Value+": "+inline(n.Content[i+1]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case yaml.SequenceNode:
		for _, c := range n.Content {
			parts = append(parts, inline(c))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	default:
		return n.Value
	}
}
