package trace

import (
	"context"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
	"github.com/meshd/meshd/topology"
)

// judged says who wrote the record here, and where it was first produced.
func (t *tracer) judged(ctx context.Context) error {
	if t.report.State != Record && t.report.State != Aborted && t.report.State != Marker {
		return nil
	}
	b := t.seen.batch
	w, registered := t.known[b.ProducerID]
	t.report.Writer = &Writer{ProducerID: b.ProducerID, Epoch: t.seen.epoch, Registered: registered, Origin: w.Origin, Shard: w.Shard, Node: w.Node}
	if t.report.State == Marker {
		return nil
	}
	o := &Origin{Cluster: t.Cluster, ID: t.ids[t.Cluster].String(), Topic: t.Topic, Partition: t.Partition, LeaderEpoch: b.LeaderEpoch, Offset: t.Offset, By: "no registered writer wrote it"}
	if all := t.registry.Incarnations(t.Topic); len(all) > 0 { // a log is of one alone
		o.Incarnation = all[len(all)-1].Number
	}
	t.report.Origin = o
	switch {
	case registered && t.entry.Origin != "":
		return t.byMap(ctx, o)
	case registered:
		t.byHeader(o)
	case t.seen.stamped:
		o.By = "no registered writer wrote it: its header is a copy"
		return t.maps(ctx)
	}
	return nil
}

// byHeader takes the origin from the header, which counts in a registered writer's batch.
func (t *tracer) byHeader(o *Origin) {
	w := t.report.Writer
	*o = Origin{Cluster: w.Origin, ID: t.known[w.ProducerID].OriginID, Topic: t.Topic, Partition: t.Partition, LeaderEpoch: -1, Offset: -1, By: "its writer is registered for it, but the header can't be read"}
	if h, err := loop.DecodeHeader(t.seen.header); err == nil {
		id := loop.ClusterID(h.Cluster)
		*o = Origin{t.aliasOf(id), id.String(), t.Topic, h.Partition, h.At.Incarnation, h.At.Epoch, h.At.Offset, "the header of a registered writer's record"}
	}
}

// byMap takes the origin from the map that is kept here.
func (t *tracer) byMap(ctx context.Context, o *Origin) error {
	w, err := t.noted(ctx, t.home)
	if err != nil {
		return err
	}
	*o = Origin{Cluster: t.home, ID: t.ids[t.home].String(), Topic: t.name, Partition: t.Partition, Incarnation: w.Progress.Incarnation, LeaderEpoch: -1, Offset: -1, By: "the map kept here was thinned, or does not reach it yet"}
	for n, m := range w.Maps { // each covers another stretch of the log
		if x, _, ok := m.Stretch(offsetxlate.Dest(t.Offset)); ok {
			o.Incarnation, o.Offset, o.By = n, int64(x), "the map kept here"
		}
	}
	return nil
}

// noted is what the writer of an origin noted here of the partition.
func (t *tracer) noted(ctx context.Context, a topology.Alias) (checkpoint.Written, error) {
	if w, ok := t.here[a]; ok {
		return w, nil
	}
	w, err := written(ctx, checkpoint.NewHoldings(t.c, a), topology.ShardOf(t.name, t.Partition), t.name, t.Partition)
	if err == nil {
		t.here[a] = w
	}
	return w, err
}

// maps reads what all others' writers noted here: the header is asked for.
func (t *tracer) maps(ctx context.Context) error {
	for _, a := range t.Topology.Aliases() {
		if a == t.Cluster {
			continue
		}
		if _, err := t.noted(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// Place implements loop.Map.
func (t *tracer) Place(b loop.Batch, h loop.Header, offset int64) loop.Place {
	for a, w := range t.here {
		if id := t.ids[a]; id != "" && id != loop.ClusterID(h.Cluster) {
			continue
		}
		if p := w.Place(b, h.At, offset, true); p != loop.Elsewhere {
			return p
		}
	}
	return loop.Elsewhere
}
