package flow

import (
	"context"
	"errors"
	"fmt"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/metasync"
	"github.com/meshd/meshd/offsetxlate"
)

// copy makes the copy of a topic exist, and says which partitions there are to copy.
func (r *round) copy(ctx context.Context, topic string, o offer) ([]Spec, error) {
	incarnation, err := r.incarnation(ctx, topic, o)
	if err != nil {
		return nil, err
	}
	w := r.wish(topic, o)
	have, err := r.partitionsThere(ctx, o.remote)
	if err != nil {
		return nil, err
	}
	entry, err := o.way.sync.Ensure(ctx, w, have)
	if err != nil {
		return nil, err
	}
	if have < len(o.partitions) {
		r.dst.Dir.Stale()
	}
	src, err := o.way.source()
	if err != nil {
		return nil, err
	}
	base, err := r.spec(topic, o, src)
	if err != nil {
		return nil, err
	}
	base.Incarnation = incarnation
	specs := make([]Spec, 0, len(o.partitions))
	for _, at := range o.partitions {
		spec, err := r.partitionOf(base, o, entry, at)
		if err != nil {
			return nil, err
		}
		specs = append(specs, spec)
	}
	r.wishes = append(r.wishes, wish{w, o.way})
	return specs, nil
}

// partitionOf is what base, which all partitions of its topic have in common, makes of one.
func (r *round) partitionOf(base Spec, o offer, entry checkpoint.TopicEntry, at kafka.Partition) (spec Spec, err error) {
	spec = base
	spec.Number, spec.SourceID = at.Number, at.TopicID
	if spec.Start, err = metasync.StartOf(entry, at.Number); err != nil {
		return spec, err
	}
	if pos, ok := entry.Positions[at.Number]; ok {
		spec.From = offsetxlate.Source(pos)
	}
	if o.identity() {
		err = r.imported(&spec, o)
	}
	return spec, err
}

// imported says of a partition what an import here says of its origin, and what one at its origin says of that.
func (r *round) imported(spec *Spec, o offer) error {
	if cut, ok := r.own.Cut(spec.Topic); ok {
		at, there := r.dst.Dir.Get(spec.Topic, spec.Number)
		if !there {
			r.dst.Dir.Stale()
			return kafka.Because(kafka.DestinationMissing, fmt.Sprintf("partition %d of %s is not there yet", spec.Number, spec.Topic), "")
		}
		reached := cut.From[r.Source]
		if x, ok := reached.Partitions[spec.Number]; ok && cut.TopicID == checkpoint.TopicID(at.TopicID) && (spec.hub() || spec.Incarnation <= reached.Incarnation) {
			spec.From, spec.FromEpoch, spec.FromTopic = offsetxlate.Source(x.Offset), x.Epoch, reached.Incarnation
		}
	}
	if cut, ok := o.way.theirs.Cut(spec.Topic); ok && !spec.hub() && cut.TopicID == o.id() {
		spec.Cut = offsetxlate.Source(cut.Below[spec.Number])
	}
	return nil
}

// spec is what all partitions of a topic have in common.
func (r *round) spec(topic string, o offer, src *Source) (Spec, error) {
	id, err := loop.NewClusterID(r.origin)
	if err != nil {
		return Spec{}, fmt.Errorf("the id of cluster %s: %w", r.Source, err)
	}
	base := Spec{
		Several: len(r.graph(topic).neighbours) > 1, Lost: r.lost, Doubt: r.doubt,
		Origin: r.Source, OriginID: id, Topic: topic, Remote: o.remote, Source: o.way.Alias, At: o.at, src: src, held: o.way.held, Identity: o.identity(), Provenance: loop.ProvenanceOf(o.settings),
		limit: r.throttleOf(o.way, topic, o.settings.LimitBytes), OnGap: o.settings.OnGap, From: -1, FromEpoch: -1, Rebuilt: o.way.theirs.Rebuilt(),
	}
	if all := r.own.Incarnations(o.remote); len(all) > 0 && all[len(all)-1].Number > 0 {
		base.Anew = all[len(all)-1].TopicID
	}
	return base, nil
}

// align brings configs in line, after the partitions were handed out: with many topics it takes a while. A copy that can't be
// aligned is copied into all the same.
func (r *round) align(ctx context.Context) error {
	for _, w := range r.ways {
		var wishes []metasync.Wish
		for _, x := range r.wishes {
			if x.way == w {
				wishes = append(wishes, x.Wish)
			}
		}
		went := w.sync.Align(ctx, wishes, r.env.intervals.Configs)
		if ctx.Err() != nil {
			return fmt.Errorf("aligning configs with cluster %s: %w", w.Alias, ctx.Err())
		}
		for _, x := range wishes {
			r.setConfigTrouble(x.Topic, went[x.Remote])
		}
	}
	return nil
}

// lookForCompaction has each way look at once at all topics of which several clusters write.
func (r *round) lookForCompaction(ctx context.Context, found map[string][]offer) {
	for _, w := range r.ways {
		var wishes []metasync.Wish
		for topic, from := range found {
			for _, o := range from {
				if o.way == w && o.identity() {
					wishes = append(wishes, r.wish(topic, o))
				}
			}
		}
		_ = w.sync.LookForCompaction(ctx, wishes) // each topic is told what was found of it
	}
}

// wish is what a topic that is offered is to be here.
func (r *round) wish(topic string, o offer) metasync.Wish {
	w := metasync.Wish{Topic: topic, At: o.at, Remote: o.remote, Origin: r.Source, Partitions: len(o.partitions), Settings: o.settings, First: r.first}
	if w.Shared = o.identity(); w.Shared {
		w.Several = r.graph(topic).several
	}
	return w
}

func (p *inflow) setConfigTrouble(topic string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	st := p.topics[topic]
	if st.Drift = nil; err != nil {
		st.Drift = new(driftOf(err))
	}
	p.topics[topic] = st
}

func driftOf(err error) kafka.Reason {
	if r, ok := errors.AsType[kafka.Reason](err); ok {
		return r
	}
	return kafka.Because(kafka.ConfigsNotAligned, err.Error(), kafka.Hint(err))
}

// partitionsThere counts the partitions of a topic at the destination. What the directory does not have may be new.
func (r *round) partitionsThere(ctx context.Context, topic string) (int, error) {
	if there, _ := r.dst.Dir.Topics(); len(there[topic]) > 0 {
		return len(there[topic]), nil
	}
	at, err := r.dst.Control.Locate(ctx, topic)
	return len(at[topic]), err
}

// deal gives each shard its partitions, and starts those that have some for the first time.
func (p *inflow) deal(r *round) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, st := range r.status {
		st.Drift = p.topics[name].Drift // until it is looked at again
		r.status[name] = st
	}
	p.topics = r.status
	for n, run := range p.shards {
		run.assign(r.origin, r.out[n])
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
