package flow

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/metasync"
	"github.com/meshd/meshd/topology"
)

const discoverTimeout = 2 * time.Minute // with thousands of topics to create

// discover does one round: who the clusters are, what the registries know, which topics there are, and what they need.
func (p *inflow) discover(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, discoverTimeout)
	defer cancel()
	if err := p.registries(ctx); err != nil {
		return err
	}
	p.lookAround(ctx)
	if err := p.nothing(); err != nil {
		return err
	}
	origin, err := p.originID(ctx)
	if err != nil || origin == "" {
		return err
	}
	if err := p.oneAlias(ctx, origin); err != nil {
		return err
	}
	r := &round{inflow: p, origin: origin, out: map[int]map[string]Spec{}, status: map[string]TopicStatus{}, first: p.own.FlowBegan(p.Source) == ""}
	found := p.find()
	r.incarnate(ctx, found)
	r.ask(ctx, found)
	r.lookForCompaction(ctx, found)
	for _, name := range slices.Sorted(maps.Keys(found)) { // the same order every time: logs can be compared
		if err := r.topic(ctx, name, found[name]); err != nil {
			return err
		}
	}
	r.keepUnseen(found)
	if r.first && ctx.Err() == nil {
		if err := p.own.BeginFlow(ctx, p.Source); err != nil {
			return err
		}
	}
	p.deal(r)
	return r.align(ctx)
}

// registries meets the destination, makes meshd's own topics, and reads its registries.
func (p *inflow) registries(ctx context.Context) error {
	if !p.prepared {
		if err := p.dst.meet(ctx); err != nil {
			return err
		}
		if err := p.dst.prepare(ctx, p.Source); err != nil {
			p.dst.Writers.heard(err)
			return err
		}
		p.own = checkpoint.NewTopics(p.dst.Control)
		for _, w := range p.ways {
			w.theirs = checkpoint.NewTopics(w.Control)
			w.sync = &metasync.Syncer{Source: w.Control, Destination: p.dst.Control, Registry: p.own, Log: p.log}
		}
		p.prepared = true
	}
	p.dst.askMemory(ctx)
	if err := p.dst.Writers.check(ctx); err != nil {
		return err
	}
	if err := p.own.BeBorn(ctx, checkpoint.NewID()); err != nil {
		return err
	}
	ledger, _ := p.dst.Dir.Get(checkpoint.ProgressTopic(p.Source), 0)
	lost, fresh, err := p.own.LostLedger(ctx, p.Source, ledger.TopicID)
	p.lost, p.doubt = lost, p.doubt || fresh && p.dst.Writers.origin(p.Pair) != ""
	return err
}

// nothing says why nothing can be read anywhere, if so; the origin's trouble where it is one of the ways.
func (p *inflow) nothing() error {
	var why error
	for _, w := range p.ways {
		if w.err == nil {
			return nil
		}
		if why == nil || w.Alias == p.Source {
			why = w.err
		}
	}
	return why
}

// originID is the origin's cluster id: from itself where it can be asked, or as its writers registered; "" where nobody has any of its records yet. A cluster that was rebuilt is another
// origin, and has to be given another alias.
func (p *inflow) originID(ctx context.Context) (string, error) {
	was := p.dst.Writers.origin(p.Pair)
	w := p.way(p.Source)
	switch {
	case was == "" && w != nil && w.ID() == "":
		return p.heardOf(ctx), w.err
	case was == "" && w == nil:
		return p.heardOf(ctx), nil
	case w == nil || w.ID() == "":
		return was, nil
	case was != "" && was != w.ID():
		return "", kafka.Because(kafka.OriginRebuilt, fmt.Sprintf("cluster %s has id %s, but what is here came from a cluster of that alias with id %s", p.Source, w.ID(), was),
			"a cluster that was rebuilt is another origin: give it another alias; what is here of the old one stays")
	}
	return w.ID(), nil
}

// oneAlias says, if so, that the destination or the origin goes by another alias as well: all that is copied would be there twice.
func (p *inflow) oneAlias(ctx context.Context, origin string) error {
	for id, a := range map[string]topology.Alias{p.dst.ID(): p.dst.Alias, origin: p.Source} {
		was, err := p.own.Name(ctx, p.env.mesh, id, a)
		if err != nil {
			return err
		}
		if was != a {
			return kafka.Because(kafka.SameCluster, fmt.Sprintf("%s and %s are the same cluster, %s", was, a, id),
				fmt.Sprintf("take one of them out of the topology, or correct its bootstrap addresses; the cluster is known as %s here, and goes by that for good", was))
		}
	}
	return nil
}

// heardOf is the origin's cluster id as the writers of other clusters registered it; "" if none did.
func (p *inflow) heardOf(ctx context.Context) string {
	for _, w := range p.ways {
		if w.err != nil || w.registered.know(ctx, w.aside) != nil {
			continue
		}
		if id := w.registered.idOf(p.Source); id != "" {
			return id
		}
	}
	return ""
}

// round is one discovery.
type round struct {
	*inflow
	origin string // its cluster id
	first  bool
	wishes []wish
	out    map[int]map[string]Spec
	status map[string]TopicStatus
	copied *checkpoint.Holdings // of the origin here; nil: not asked for
	logs   map[*way]logs
	here   map[string]map[int32]loop.Coordinate // how far each topic's partitions have come, where there are several ways
}

// wish is what a way's topic is to be here.
type wish struct {
	metasync.Wish
	way *way
}

// given is what was handed out of a topic.
type given struct {
	specs  []Spec
	status TopicStatus
}

// topic decides about one topic of the origin. Only what concerns all topics is an error.
func (r *round) topic(ctx context.Context, name string, from []offer) error {
	o, ok := r.choose(ctx, name, from)
	if !ok {
		return nil // what was handed out stays
	}
	src := r.choices[name].from
	st := TopicStatus{Topic: name, From: o.way.Alias, Why: src.why, Since: src.since, Identity: o.identity(), Kind: o.kind, Partitions: len(o.partitions)}
	if o.reason.Code != "" {
		st.Reason = new(o.reason)
		r.status[name] = st
		return nil
	}
	st.Remote = o.remote
	specs, err := r.copy(ctx, name, o)
	if err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("preparing topic %s: %w", st.Remote, err)
		}
		st.Reason = new(kafka.Explain(err, kafka.TopicNotMade))
	}
	for _, s := range specs {
		st.BelowCut += int64(s.Cut)
	}
	r.hand(given{specs, st})
	return nil
}

// hand gives out the partitions of a topic.
func (r *round) hand(g given) {
	r.given[g.status.Topic], r.status[g.status.Topic] = g, g.status
	for _, spec := range g.specs {
		n := topology.ShardOf(spec.Topic, spec.Number)
		if r.out[n] == nil {
			r.out[n] = map[string]Spec{}
		}
		r.out[n][spec.Key()] = spec
	}
}

// keepUnseen hands out again what can't be looked at now, as it was: nobody knows whether it is still there. What is known to be gone at the
// origin is said.
func (r *round) keepUnseen(found map[string][]offer) {
	for name, g := range r.given {
		if _, done := r.status[name]; done {
			continue
		}
		w := r.way(g.status.From)
		if w != nil && w.err != nil || len(found[name]) > 0 {
			r.hand(g)
			continue
		}
		delete(r.given, name)
	}
	if w := r.way(r.Source); w != nil && w.err == nil {
		r.missing(w)
	}
}

// missing says of each copy whose topic is no longer at the origin that it is so.
func (r *round) missing(w *way) {
	for remote, e := range r.own.Entries() {
		if shared := e.Kind == checkpoint.Shared; shared && remote == checkpoint.FromKey(e.Topic, r.Source) {
			remote = e.Topic
		} else if shared {
			continue
		}
		settings, carried := w.link.Topic(e.Topic)
		_, found := r.status[e.Topic]
		if e.Origin != r.Source || e.Kind == checkpoint.Local || w.topics[e.Topic] != nil || !carried || found {
			continue
		}
		r.status[e.Topic] = TopicStatus{
			Topic: e.Topic, From: w.Alias, Remote: remote, Kind: loop.Local, Identity: remote == e.Topic && settings.Naming == topology.Identity,
			Reason: new(kafka.Because(kafka.SourceDeleted, "topic "+e.Topic+" is not at the source any more",
				"what arrived stays in "+remote+"; exclude the topic from the link to have this settled")),
		}
	}
}
