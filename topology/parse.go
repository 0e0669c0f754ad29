package topology

import (
	"bytes"
	"errors"
	"io"

	"gopkg.in/yaml.v3"
)

const maxSource = 256 << 10 // bytes of a file; it has to fit into raft and gossip

// Parse reads a topology that nodes run as a process each. The error is a Problems, with everything that is wrong; file is the name
// that they bear.
func Parse(file string, data []byte) (*Topology, error) { return parse(file, data, false) }

// ParseInProcess is Parse for one process that runs all nodes: embedded clusters may be in any datacenter.
func ParseInProcess(file string, data []byte) (*Topology, error) { return parse(file, data, true) }

func parse(file string, data []byte, inProcess bool) (*Topology, error) {
	p := newParser(file)
	d := newDraft()
	root, ok := p.document(data)
	if ok {
		p.mapping(value{root, ""}, d.fields())
		d.validate(p)
		if !inProcess {
			d.checkEmbedded(p)
		}
	}
	if len(p.problems) > 0 {
		p.problems.sort()
		return nil, p.problems
	}
	d.t.file, d.t.source, d.t.root, d.t.hash = file, bytes.Clone(data), root, hashOf(root)
	d.warn(p)
	p.warnings.sort()
	d.t.warnings = p.warnings
	return d.t, nil
}

// document returns the root of the one YAML document in data.
func (p *parser) document(data []byte) (*yaml.Node, bool) {
	nowhere := value{&yaml.Node{Line: 1, Column: 1}, ""}
	if len(data) > maxSource {
		p.bad(nowhere, "the file is larger than %s", formatSize(maxSource))
		return nil, false
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, next yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		p.bad(nowhere, "the file is empty")
		return nil, false
	} else if err != nil {
		p.syntax(err, data)
		return nil, false
	}
	if err := dec.Decode(&next); err == nil {
		p.bad(value{&next, ""}, "a second document").Hint = "a file holds one topology"
	} else if !errors.Is(err, io.EOF) {
		p.syntax(err, data)
	}
	p.plain(doc.Content[0])
	return doc.Content[0], len(p.problems) == 0
}

// plain refuses anchors, aliases and merge keys: with them a small file can say a lot, and an edit in one place changes another.
func (p *parser) plain(n *yaml.Node) {
	if n.Anchor != "" {
		p.bad(value{n, ""}, "the anchor &%s: anchors are not accepted", short(n.Anchor)).Hint = "write the value out"
	}
	if n.Kind == yaml.AliasNode {
		p.bad(value{n, ""}, "*%s: aliases are not accepted", short(n.Value)).Hint = "write the value out; a star alone goes in quotes"
		return
	}
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!merge" {
		p.bad(value{n, ""}, "<<: merge keys are not accepted").Hint = "write the keys out"
	}
	for _, c := range n.Content {
		p.plain(c)
	}
}
