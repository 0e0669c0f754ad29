package topology

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// field is one key of a mapping: what the reference says about it, and how it is read.
type field struct {
	key      string
	kind     string // its type in words; "" for a key that isn't supported yet
	def      string // default, as it would stand in the file; "" for none
	derived  string // a default that isn't a fixed value, in words
	required bool
	read     func(p *parser, v value)
	sub      []field // keys below it
	join     string  // what stands between its key and theirs: "." or ".<alias>." or "[]."
	known    bool    // the keys below it are listed elsewhere in the reference
}

func (f field) must() field { f.required = true; return f }

func (f field) or(words string) field { f.derived = words; return f }

// like says in the reference that the keys below are those of something else.
func (f field) like(words string) field { f.kind, f.known = words, true; return f }

func (f field) with(def string) field { f.def = def; return f }

// then does more once the key is read.
func (f field) then(more func(p *parser, v value)) field {
	read := f.read
	f.read = func(p *parser, v value) {
		read(p, v)
		more(p, v)
	}
	return f
}

// mapping reads the keys of a mapping in the order of the table, so that a field can build on those before it.
func (p *parser) mapping(v value, fields []field) {
	entries := p.entries(v)
	if entries == nil && v.node.Kind != yaml.MappingNode {
		return
	}
	byKey := map[string]entry{}
	for _, e := range entries {
		byKey[e.key] = e
		if !slices.ContainsFunc(fields, func(f field) bool { return f.key == e.key }) {
			p.bad(e.name, "unknown key").Hint = didYouMean(e.key, keysOf(fields))
		}
	}
	for _, f := range fields {
		if e, ok := byKey[f.key]; ok {
			f.read(p, e.value)
		} else if f.required && !hasKey(v.node, f.key) {
			p.bad(v.key(f.key), "is missing")
		}
	}
}

func keysOf(fields []field) []string {
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.key
	}
	return keys
}

func hasKey(n *yaml.Node, key string) bool {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return true
		}
	}
	return false
}

// setDefaults reads the default of each field as if it stood in the file.
func setDefaults(fields []field) {
	p := newParser("defaults")
	for _, f := range fields {
		if f.def != "" {
			var doc yaml.Node
			if err := yaml.Unmarshal([]byte(f.def), &doc); err != nil {
				panic(fmt.Sprintf("topology: the default of %s isn't YAML: %v", f.key, err))
			}
			f.read(p, value{doc.Content[0], f.key})
		}
		if f.join == "." {
			setDefaults(f.sub)
		}
	}
	if len(p.problems) > 0 {
		panic("topology: " + p.problems.Error())
	}
}

// group is a mapping with fixed keys.
func group(key string, sub ...field) field {
	return field{
		key: key, kind: "keys", sub: sub, join: ".",
		read: func(p *parser, v value) { p.mapping(v, sub) },
	}
}

// optional is a mapping that is nil when it is left out.
func optional[T any](key string, at **T, fields func(*T) []field) field {
	return field{key: key, kind: "keys", derived: "none", sub: fields(new(T)), join: ".", read: func(p *parser, v value) {
		x := new(T)
		p.mapping(v, fields(x))
		*at = x
	}}
}

// dict is a mapping whose keys are names; each value is handed to read.
func dict(key, what string, check rule, sub []field, limit int, read func(p *parser, name string, v value)) field {
	return field{key: key, kind: "a mapping by " + what, sub: sub, join: ".<" + what + ">.", read: func(p *parser, v value) {
		entries := p.entries(v)
		if len(entries) > limit {
			p.bad(v, "holds %d entries, more than %d", len(entries), limit)
			return
		}
		if v.node.Kind == yaml.MappingNode && len(v.node.Content) == 0 {
			p.bad(v, "is empty")
		}
		for _, e := range entries {
			if msg := check(e.key); msg != "" {
				p.bad(e.name, "%s", msg)
			}
			read(p, e.key, e.value)
		}
	}}
}

// list is a list of mappings; each is handed to read.
func list(key string, sub []field, limit int, read func(p *parser, v value)) field {
	return field{key: key, kind: "a list", sub: sub, join: "[].", read: func(p *parser, v value) {
		items := p.items(v)
		if len(items) > limit {
			p.bad(v, "holds %d entries, more than %d", len(items), limit)
			return
		}
		if v.node.Kind == yaml.SequenceNode && len(v.node.Content) == 0 {
			p.bad(v, "is empty")
		}
		for _, item := range items {
			read(p, item)
		}
	}}
}

// notYet is a key whose function comes later. The values that mean that the function is off are accepted.
func notYet(key string, off ...string) field {
	return field{key: key, read: func(p *parser, v value) {
		if v.node.Kind != yaml.ScalarNode || !slices.Contains(off, v.node.Value) {
			p.notYet(v, off)
		}
	}}
}

func (p *parser) notYet(v value, accepted []string) {
	problem := p.bad(v, "not yet supported")
	if len(accepted) > 0 {
		problem.Hint = "accepted now: " + strings.Join(accepted, ", ")
	} else {
		problem.Hint = "leave it out"
	}
}
