package topology

import (
	"fmt"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Problem is one that was found in a topology after it was read, at a path of keys such as links[1].naming, or at its closest parent in
// the file.
func (t *Topology) Problem(path, message, hint string) Problem {
	out := Problem{File: t.file, Line: 1, Column: 1, Path: path, Message: message, Hint: hint}
	steps := strings.FieldsFunc(path, func(r rune) bool { return strings.ContainsRune(".[]", r) })
	for n := t.root; n != nil; steps = steps[1:] {
		out.Line, out.Column = n.Line, n.Column
		if len(steps) == 0 {
			break
		}
		n = child(n, steps[0])
	}
	return out
}

// SettingPath is the path of what sets a key for a topic that a link carries, which is named by its place in Links: a rule, or the link;
// where neither does, the link itself.
func (t *Topology) SettingPath(link int, topic, key string) string {
	path := fmt.Sprintf("links[%d]", link)
	n := child(child(t.root, "links"), strconv.Itoa(link))
	if i := t.Links[link].rule(topic); i >= 0 && child(child(child(child(n, "topics"), "rules"), strconv.Itoa(i)), key) != nil {
		return fmt.Sprintf("%s.topics.rules[%d].%s", path, i, key)
	}
	if child(n, key) != nil {
		path += "." + key
	}
	return path
}

// child is the value below a key of a mapping, or at an index of a list; nil if there is none.
func child(n *yaml.Node, step string) *yaml.Node {
	switch {
	case n == nil:
		return nil
	case n.Kind == yaml.SequenceNode:
		if i, err := strconv.Atoi(step); err == nil && i < len(n.Content) {
			return n.Content[i]
		}
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == step {
			return n.Content[i+1]
		}
	}
	return nil
}
