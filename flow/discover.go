package flow

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/checkpoint/mm2"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/metasync"
	"github.com/meshd/meshd/offsetxlate"
	"github.com/meshd/meshd/topology"
)

// discover does one round: who the clusters are, what the registries know, which topics there are, and what they need.
func (p *pair) discover(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, discoverTimeout)
	defer cancel()
	if err := p.registries(ctx); err != nil {
		return err
	}
	topics, loaded := p.src.Dir.Topics()
	if !loaded {
		if err := p.src.Dir.Refresh(ctx); err != nil {
			return err
		}
		topics, _ = p.src.Dir.Topics()
	}
	// The registry is read after the topics were listed: what meshd makes there meanwhile is in it.
	if err := readRegistry(ctx, p.own, p.theirs, p.Source); err != nil {
		return err
	}
	p.mu.Lock()
	link := p.link
	p.mu.Unlock()
	r := &round{pair: p, link: link, out: map[int]map[string]Spec{}, status: map[string]TopicStatus{}, first: p.own.FlowBegan(p.Source) == ""}
	for _, name := range slices.Sorted(maps.Keys(topics)) { // the same order every time: logs can be compared
		if err := r.topic(ctx, name, topics[name]); err != nil {
			return err
		}
	}
	if r.first && ctx.Err() == nil {
		if err := p.own.BeginFlow(ctx, p.Source); err != nil {
			return err
		}
	}
	r.missing(topics)
	p.deal(r)
	return r.align(ctx)
}

const discoverTimeout = 2 * time.Minute // with thousands of topics to create

// registries meets both clusters, makes meshd's own topics, and reads the destination's registry.
func (p *pair) registries(ctx context.Context) error {
	if !p.prepared {
		if err := p.meet(ctx); err != nil {
			return err
		}
		p.own, p.theirs = checkpoint.NewTopics(p.dst.Control), checkpoint.NewTopics(p.src.Control)
		p.sync = &metasync.Syncer{Source: p.src.Control, Destination: p.dst.Control, Registry: p.own, Log: p.log}
		p.prepared = true
	}
	p.dst.askMemory(ctx)
	if err := p.dst.Writers.check(ctx); err != nil {
		return err
	}
	return p.own.BeBorn(ctx, newID())
}

func (p *pair) meet(ctx context.Context) error {
	if err := p.dst.meet(ctx); err != nil {
		return err
	}
	if err := p.src.meet(ctx); err != nil {
		return err
	}
	if p.src.ID() == p.dst.ID() {
		return kafka.Reason{Code: kafka.SameCluster, Text: fmt.Sprintf("%s and %s are the same cluster, %s", p.Source, p.Destination, p.src.ID()), Hint: "correct the bootstrap addresses"}
	}
	return p.dst.prepare(ctx, p.Source)
}

// round is one discovery.
type round struct {
	*pair
	link   *topology.Link
	first  bool
	wishes []metasync.Wish
	out    map[int]map[string]Spec
	status map[string]TopicStatus
}

// topic decides about one topic of the source. Only what concerns all topics is an error.
func (r *round) topic(ctx context.Context, name string, ps []kafka.Partition) error {
	settings, carried := r.link.Topic(name)
	if name == mm2.Heartbeats && r.link.Settings.MM2Heartbeats {
		settings, carried = r.link.Settings, true
		settings.OnGap = "continue" // a heartbeat that is gone was for nobody
	}
	if !carried {
		return nil
	}
	v := r.mesh.Classify(name, r.Source, known(r.theirs, name))
	identity := settings.Naming == "identity"
	if name == mm2.Heartbeats {
		v.Kind, identity = loop.Local, false // each cluster's own, and carried like any topic
	} else if identity && v.Kind == loop.Unclaimed {
		v.Kind = loop.Local // with one name everywhere there are no look-alikes
	}
	st := TopicStatus{Topic: name, Kind: v.Kind, Partitions: len(ps)}
	switch v.Kind {
	case loop.Internal, loop.Remote:
		return nil
	case loop.Unclaimed:
		if settings.Remote != "local" {
			st.Reason = &kafka.Reason{Code: kafka.Unclaimed, Text: "topic " + name + ": " + v.Why, Hint: r.unclaimed(name, v)}
			r.status[name] = st
			return nil
		}
	case loop.Local:
	}
	if st.Remote = name; !identity {
		st.Remote = loop.RemoteName(r.Source, settings.Separator, name)
	}
	if err := r.copy(ctx, name, ps, settings, st.Remote); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("preparing topic %s: %w", st.Remote, err)
		}
		st.Reason = new(kafka.Explain(err, kafka.TopicNotMade))
	}
	r.status[name] = st
	return nil
}

// unclaimed says what a person can decide about a topic of the source that looks like a copy.
func (r *round) unclaimed(name string, v loop.Verdict) string {
	return fmt.Sprintf("meshd adopt %s --topology FILE --from %s --at %s takes it over, with --local it is declared to be no copy; or set remote: local, or exclude %s from the link", v.Topic, v.Origin, r.Source, name)
}

// copy makes the copy exist and hands its partitions out.
func (r *round) copy(ctx context.Context, name string, ps []kafka.Partition, settings topology.LinkSettings, remote string) error {
	w := metasync.Wish{Topic: name, Remote: remote, Origin: r.Source, Partitions: len(ps), Settings: settings, First: r.first, Shared: remote == name}
	have, err := r.partitionsThere(ctx, remote)
	if err != nil {
		return err
	}
	entry, err := r.sync.Ensure(ctx, w, have)
	if err != nil {
		return err
	}
	if have < len(ps) {
		r.dst.Dir.Stale()
	}
	for _, at := range ps {
		start, err := metasync.StartOf(entry, at.Number)
		if err != nil {
			return err
		}
		spec := Spec{
			Origin: r.Source, Topic: name, Number: at.Number, Remote: remote, Source: r.Source, At: name, SourceID: at.TopicID, OriginID: r.src.form(), src: r.src,
			Identity: w.Shared, Provenance: provenance(settings), limit: r.throttleOf(name, settings.LimitBytes), OnGap: settings.OnGap, Start: start, From: -1,
		}
		if pos, ok := entry.Positions[at.Number]; ok {
			spec.From = offsetxlate.Source(pos)
		}
		n := topology.ShardOf(name, at.Number)
		if r.out[n] == nil {
			r.out[n] = map[string]Spec{}
		}
		r.out[n][spec.Key()] = spec
	}
	r.wishes = append(r.wishes, w)
	return nil
}

// align brings configs in line, after the partitions were handed out: with many topics it takes a while. A copy that can't be
// aligned is copied into all the same.
func (r *round) align(ctx context.Context) error {
	for _, w := range r.wishes {
		err := r.sync.Align(ctx, w, r.env.intervals.Configs)
		if ctx.Err() != nil {
			return fmt.Errorf("aligning configs of %s: %w", w.Remote, err)
		}
		r.setConfigTrouble(w.Topic, err)
	}
	return nil
}

func (p *pair) setConfigTrouble(topic string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	st := p.topics[topic]
	if st.Drift = nil; err != nil {
		st.Drift = new(kafka.Because(kafka.ConfigsNotAligned, err.Error(), kafka.Hint(err)))
	}
	p.topics[topic] = st
}

// missing says of each copy whose topic is no longer at the source that it is so.
func (r *round) missing(there map[string][]kafka.Partition) {
	for remote, e := range r.own.Entries() {
		if e.Kind == checkpoint.Shared {
			continue // it is missing at a cluster only until it is made there
		}
		_, carried := r.link.Topic(e.Topic)
		if e.Origin != r.Source || e.Kind == checkpoint.Local || there[e.Topic] != nil || !carried {
			continue
		}
		r.status[e.Topic] = TopicStatus{Topic: e.Topic, Remote: remote, Kind: loop.Local, Reason: new(kafka.Because(kafka.SourceDeleted,
			"topic "+e.Topic+" is not at the source any more", "what arrived stays in "+remote+"; exclude the topic from the link to have this settled"))}
	}
}

// partitionsThere counts the partitions of a topic at the destination. What the directory does not have may be new.
func (r *round) partitionsThere(ctx context.Context, topic string) (int, error) {
	if there, _ := r.dst.Dir.Topics(); len(there[topic]) > 0 {
		return len(there[topic]), nil
	}
	at, err := r.dst.Control.Locate(ctx, topic)
	return len(at[topic]), err
}

func provenance(s topology.LinkSettings) loop.Provenance {
	if s.Provenance == "batch" {
		return loop.Batches
	}
	return loop.Headers
}

func known(reg *checkpoint.Topics, topic string) *loop.Known {
	e, ok := reg.Entries()[topic]
	if !ok || e.Kind == checkpoint.Shared {
		return nil
	}
	return &loop.Known{Made: e.Kind != checkpoint.Local, Local: e.Kind == checkpoint.Local, Origin: e.Origin, Topic: e.Topic}
}

// deal gives each shard its partitions, and starts those that have some for the first time.
func (p *pair) deal(r *round) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, st := range r.status {
		st.Drift = p.topics[name].Drift // until it is looked at again
		r.status[name] = st
	}
	p.topics = r.status
	for n, run := range p.shards {
		run.assign(r.out[n])
		if run.done == closed && len(r.out[n]) > 0 {
			ctx, cancel := context.WithCancel(context.Background())
			run.cancel, run.done = cancel, make(chan struct{})
			go func() {
				defer close(run.done)
				run.run(ctx)
			}()
		}
	}
}
