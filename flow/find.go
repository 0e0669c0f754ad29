package flow

import (
	"fmt"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/checkpoint/mm2"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/topology"
)

// offer is one of an origin's topics as a way has it.
type offer struct {
	way        *way
	at         string // its name there
	remote     string // its name at the destination
	kind       loop.Kind
	reason     kafka.Reason // why it is not taken; no Code: it is
	partitions []kafka.Partition
	settings   topology.LinkSettings
}

func (o offer) identity() bool { return o.at == o.remote && o.settings.Naming == topology.Identity }

// find lists the origin's topics, each with the ways that have it, in their order.
func (p *inflow) find() map[string][]offer {
	found := map[string][]offer{}
	for _, w := range p.ways {
		if w.err != nil {
			continue
		}
		for name, ps := range w.topics {
			topic, o, ok := p.offer(w, name)
			if !ok {
				continue
			}
			o.way, o.at, o.partitions = w, name, ps
			found[topic] = append(found[topic], o)
		}
	}
	return found
}

// offer says which of the origin's topics, as it is named there, a topic at a way is, if it is to be taken.
func (p *inflow) offer(w *way, name string) (topic string, o offer, ok bool) {
	if w.Alias == p.Source {
		o, ok = p.direct(w, name)
		return name, o, ok
	}
	if e, known := w.theirs.Entries()[name]; known && e.Kind != checkpoint.Shared {
		o.settings, ok = w.link.Topic(e.Topic)
		o.kind, o.remote = loop.Remote, name
		return e.Topic, o, ok && e.Origin == p.Source && e.Kind != checkpoint.Local && o.settings.Naming != topology.Identity
	}
	o.settings, ok = w.link.Topic(name)
	o.kind, o.remote = loop.Local, name
	return name, o, ok && o.settings.Naming == topology.Identity && p.mesh.Classify(name, w.Alias, nil).Kind != loop.Internal && p.reaches(name, w.Alias)
}

// reaches says whether the origin's records of an identity topic come to a cluster.
func (p *inflow) reaches(topic string, a topology.Alias) bool {
	return p.graph(topic).reached[a]
}

// direct looks at a topic of the origin itself.
func (p *inflow) direct(w *way, name string) (o offer, ok bool) {
	o.settings, ok = w.link.Topic(name)
	identity := o.settings.Naming == topology.Identity
	if name == mm2.Heartbeats {
		o.settings, ok, identity = w.link.Settings, w.link.Settings.MM2Heartbeats, false
		o.settings.OnGap = "continue" // a heartbeat that is gone was for nobody
	}
	if !ok {
		return o, false
	}
	v := p.mesh.Classify(name, w.Alias, known(w.theirs, name))
	switch o.kind = v.Kind; {
	case name == mm2.Heartbeats: // each cluster's own, and carried like any topic
		o.kind = loop.Local
	case v.Kind == loop.Internal || v.Kind == loop.Remote:
		return o, false
	case v.Kind == loop.Unclaimed && identity:
		o.kind = loop.Local // with one name everywhere there are no look-alikes
	case v.Kind == loop.Unclaimed && o.settings.Remote != "local":
		o.reason = kafka.Reason{Code: kafka.Unclaimed, Text: "topic " + name + ": " + v.Why, Hint: p.unclaimed(name, v)}
		return o, true
	}
	if o.remote = name; !identity {
		o.settings.Naming = topology.Prefix
		o.remote = loop.RemoteName(p.Source, o.settings.Separator, name)
	}
	return o, true
}

// unclaimed says what a person can decide about a topic of the origin that looks like a copy.
func (p *inflow) unclaimed(name string, v loop.Verdict) string {
	return fmt.Sprintf("meshd adopt %s --topology FILE --from %s --at %s takes it over, with --local it is declared to be no copy; or set remote: local, or exclude %s from the link", v.Topic, v.Origin, p.Source, name)
}

func known(reg *checkpoint.Topics, topic string) *loop.Known {
	e, ok := reg.Entries()[topic]
	if !ok || e.Kind == checkpoint.Shared {
		return nil
	}
	return &loop.Known{Made: e.Kind != checkpoint.Local, Local: e.Kind == checkpoint.Local, Origin: e.Origin, Topic: e.Topic}
}
