package loop

import "github.com/meshd/meshd/topology"

// Overlap looks for a topic that both links carry with settings for which bad is true, and returns the shortest such name. sure is false
// where the expressions are too many to tell; a name that is found is one.
func Overlap(a, b *topology.Link, bad func(a, b topology.LinkSettings) bool) (name string, found, sure bool) {
	return (&names{left: maxWork}).overlap(a, b, bad)
}

func (n *names) overlap(a, b *topology.Link, bad func(a, b topology.LinkSettings) bool) (name string, found, sure bool) {
	w, ok := n.prepare(a, b)
	if !ok {
		return "", false, false
	}
	all := n.walk(w, 2, func(text string) bool {
		if sa, ok := a.Topic(text); ok {
			if sb, ok := b.Topic(text); ok && bad(sa, sb) {
				name, found = text, true
			}
		}
		return !found
	})
	return name, found, all
}

// maxExamples bounds what can be said of one topology.
const maxExamples = 200

// Examples returns a topic for each distinct way in which links carry topics, the shortest such name: which links carry it, and with
// which naming and provenance. all is false where there are more, or the expressions are too many to tell.
func Examples(t *topology.Topology) (topics []string, all bool) {
	links := make([]*topology.Link, len(t.Links))
	for i := range links {
		links[i] = &t.Links[i]
	}
	n := &names{left: maxWork}
	w, ok := n.prepare(links...)
	if !ok {
		return nil, false
	}
	seen, more := map[string]bool{}, false
	all = n.walk(w, 1, func(name string) bool {
		if how := carriage(t, name); how != "" && !seen[how] {
			if more = len(topics) == maxExamples; more {
				return false
			}
			seen[how] = true
			topics = append(topics, name)
		}
		return true
	})
	return topics, all && !more
}

// carriage tells topics apart by how links carry them; "" for one that none carries.
func carriage(t *topology.Topology, topic string) string {
	out, carried := make([]byte, len(t.Links)), false
	for i := range t.Links {
		s, ok := t.Links[i].Topic(topic)
		if !ok {
			continue
		}
		carried = true
		switch {
		case s.Naming != topology.Identity:
			out[i] = 1
		case ProvenanceOf(s) == Headers:
			out[i] = 2
		default:
			out[i] = 3
		}
	}
	if !carried {
		return ""
	}
	return string(out)
}
