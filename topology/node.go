package topology

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

// value is a node of the file and the path of keys that leads to it.
type value struct {
	node *yaml.Node
	path string
}

func (v value) key(k string) value { return value{v.node, join(v.path, k)} }

func join(path, key string) string {
	if key = short(key); strings.ContainsAny(key, " .[") {
		key = strconv.Quote(key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// parser collects what is wrong while a file is read.
type parser struct {
	file     string
	problems Problems
	warnings Problems
	where    map[string]*yaml.Node // path -> its node, for what is found out only when all is read
	cost     int                   // of the expressions so far

	separators  []value // wherever one is set
	provenances []value // likewise
}

func newParser(file string) *parser { return &parser{file: file, where: map[string]*yaml.Node{}} }

// bad notes a problem. A hint may be set on the result before the next one is noted.
func (p *parser) bad(v value, format string, args ...any) *Problem {
	p.problems = append(p.problems, p.problem(v, format, args...))
	return &p.problems[len(p.problems)-1]
}

func (p *parser) warn(path, message string) {
	p.warnings = append(p.warnings, p.problem(p.at(path), "%s", message))
}

func (p *parser) problem(v value, format string, args ...any) Problem {
	return Problem{File: p.file, Line: v.node.Line, Column: v.node.Column, Path: v.path, Message: fmt.Sprintf(format, args...)}
}

// at finds the value of a path, or where it would stand: its closest parent in the file.
func (p *parser) at(path string) value {
	for short := path; ; short = parent(short) {
		if n := p.where[short]; n != nil {
			return value{n, path}
		}
		if short == "" {
			return value{&yaml.Node{Line: 1, Column: 1}, path}
		}
	}
}

// sound says whether nothing is wrong with a value so far, so that what follows from a problem isn't told too.
func (p *parser) sound(v value) bool {
	return !slices.ContainsFunc(p.problems, func(q Problem) bool { return within(q.Path, v.path) })
}

func within(path, parent string) bool {
	return path == parent || len(path) > len(parent) && path[:len(parent)] == parent && (path[len(parent)] == '.' || path[len(parent)] == '[')
}

// parent cuts the last key or index off a path.
func parent(path string) string {
	for i := len(path) - 1; i > 0; i-- {
		if path[i] == '.' || path[i] == '[' {
			return path[:i]
		}
	}
	return ""
}

// entry is one key of a mapping with its value.
type entry struct {
	key  string
	name value // the key itself, for problems with it
	value
}

// entries returns the keys of a mapping that can be read, in the order of the file.
func (p *parser) entries(v value) []entry {
	if v.node.Kind != yaml.MappingNode {
		p.bad(v, "wants keys and values, not %s", describe(v.node))
		return nil
	}
	p.where[v.path] = v.node
	var out []entry
	first := map[string]int{}
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		k, n := v.node.Content[i], v.node.Content[i+1]
		if k.Kind != yaml.ScalarNode || k.ShortTag() != "!!str" {
			p.bad(value{k, v.path}, "a key has to be text, not %s", describe(k)).Hint = quoteHint(k)
			continue
		}
		e := entry{k.Value, value{k, join(v.path, k.Value)}, value{n, join(v.path, k.Value)}}
		if line := first[k.Value]; line > 0 {
			p.bad(e.name, "%q is used twice", k.Value).Hint = fmt.Sprintf("the first is on line %d", line)
			continue
		}
		first[k.Value] = k.Line
		if p.present(e.value) {
			p.where[e.path] = n
			out = append(out, e)
		}
	}
	return out
}

// items returns the values of a list.
func (p *parser) items(v value) []value {
	if v.node.Kind != yaml.SequenceNode {
		problem := p.bad(v, "wants a list, not %s", describe(v.node))
		if v.node.Kind == yaml.ScalarNode {
			problem.Hint = fmt.Sprintf("write [%s]", short(v.node.Value))
		}
		return nil
	}
	var out []value
	for i, n := range v.node.Content {
		item := value{n, fmt.Sprintf("%s[%d]", v.path, i)}
		if p.present(item) {
			p.where[item.path] = n
			out = append(out, item)
		}
	}
	return out
}

// present refuses a key without a value, which YAML reads as null.
func (p *parser) present(v value) bool {
	if v.node.Kind == yaml.ScalarNode && v.node.ShortTag() == "!!null" {
		p.bad(v, "has no value").Hint = "give it one, or leave it out"
		return false
	}
	return true
}

// text returns a scalar that YAML reads as text.
func (p *parser) text(v value) (string, bool) {
	if v.node.Kind == yaml.ScalarNode && v.node.ShortTag() == "!!str" {
		return v.node.Value, true
	}
	p.bad(v, "wants text, not %s", describe(v.node)).Hint = quoteHint(v.node)
	return "", false
}

func quoteHint(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" {
		return ""
	}
	return fmt.Sprintf("put it in quotes: %q", short(n.Value))
}

// short keeps a message on one line, whatever the file holds.
func short(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "..."
	}
	return s
}

func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "keys and values"
	case yaml.SequenceNode:
		return "a list"
	default:
		return describeScalar(n)
	}
}

func describeScalar(n *yaml.Node) string {
	switch n.ShortTag() {
	case "!!str":
		return fmt.Sprintf("the text %q", short(n.Value))
	case "!!int", "!!float":
		return "the number " + short(n.Value)
	case "!!bool":
		return n.Value
	case "!!timestamp":
		return "the time " + short(n.Value)
	case "!!null":
		return "nothing"
	}
	return fmt.Sprintf("a value tagged %q", short(n.Tag))
}
