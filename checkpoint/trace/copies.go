package trace

import (
	"context"
	"fmt"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
	"github.com/meshd/meshd/topology"
)

// follow finds the record at the other clusters.
func (t *tracer) follow(ctx context.Context) error {
	if t.report.State != Record || t.report.Origin.Offset < 0 || t.entry.Origin != "" && !t.report.Writer.Registered { // that stays in the copy
		return nil
	}
	home := t.report.Origin.Cluster == t.Cluster
	for _, a := range t.Topology.Aliases() {
		if home && a == t.Cluster {
			continue
		}
		x := Copy{Cluster: a, Topic: t.nameAt(a), Offset: -1}
		if a == t.report.Origin.Cluster {
			x.State, x.Offset, x.Text = "home", t.report.Origin.Offset, "it was produced there"
		} else {
			t.find(ctx, a, &x)
		}
		t.report.Copies = append(t.report.Copies, x)
	}
	return nil
}

// nameAt is what the record's topic is called at a cluster.
func (t *tracer) nameAt(a topology.Alias) string {
	o := t.report.Origin
	if a == o.Cluster || t.identity() {
		return o.Topic
	}
	separator := "."
	for p, l := range t.Topology.Pairs() {
		if s, carried := l.Topic(o.Topic); carried && p.Destination == a {
			separator = s.Separator
		}
	}
	return loop.RemoteName(o.Cluster, separator, o.Topic)
}

func (t *tracer) find(ctx context.Context, a topology.Alias, x *Copy) {
	w, err := t.notedAt(ctx, a)
	switch {
	case err != nil:
		x.State, x.Text = "unknown", kafka.Explain(err, kafka.ClusterUnreachable).Text
	case !w.There:
		x.State, x.Text = "nothing", fmt.Sprintf("nothing of %s from %s ever came there", t.report.Origin.Topic, t.report.Origin.Cluster)
	default:
		x.Over = w.Progress.Read.Cluster
		t.lies(w, x)
	}
}

// notedAt is what a cluster noted of the record's partition.
func (t *tracer) notedAt(ctx context.Context, a topology.Alias) (checkpoint.Written, error) {
	c := t.clusters[a]
	if c == nil {
		return checkpoint.Written{}, fmt.Errorf("cluster %s does not answer", a)
	}
	o := t.report.Origin
	one, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	return written(one, checkpoint.NewHoldings(c, o.Cluster), topology.ShardOf(o.Topic, o.Partition), o.Topic, o.Partition)
}

// coordinate is the record's; where its leader epoch is not known, that of the frontier stands for it.
func (o *Origin) coordinate(w checkpoint.Written) loop.Coordinate {
	at := loop.Coordinate{Incarnation: o.Incarnation, Epoch: o.LeaderEpoch, Offset: o.Offset}
	if at.Epoch < 0 {
		at.Epoch = w.Progress.SourceEpoch
	}
	return at
}

// lies says where the record lies by what was noted.
func (t *tracer) lies(w checkpoint.Written, x *Copy) {
	at := t.report.Origin.coordinate(w)
	if gap, ok := w.Progress.Gaps.Between(at, at.Next()); ok {
		x.State, x.Text = "gap", "it was left out there: "+gap.Why.String()
		return
	}
	if m := w.Maps[at.Incarnation]; m != nil {
		place := m.ToDest(offsetxlate.Source(at.Offset))
		source, _, exact := m.Stretch(place.Offset)
		switch {
		case exact && int64(source) == at.Offset:
			x.State, x.Offset, x.Text = "here", int64(place.Offset), "by the map kept there"
			return
		case place.How == offsetxlate.HowThinned:
			x.State, x.Text = "passed", fmt.Sprintf("it came; the map kept there was thinned, and says that it lies at offset %d or behind", place.Offset)
			return
		}
	}
	x.State, x.Text = "not_yet", "it has not come yet"
	if at.Less(w.Progress.Frontier()) {
		x.State, x.Text = "passed", "it was passed, and the map kept there has no place of it"
	}
}
