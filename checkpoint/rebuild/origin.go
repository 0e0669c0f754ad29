package rebuild

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka/batch"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/topology"
)

// origin is what is found of one origin whose records came here.
type origin struct {
	alias    topology.Alias
	id       string   // its cluster id; "" unknown
	said     []string // cluster ids in headers of its records
	holdings *checkpoint.Holdings
	writers  map[int64]*Writer
	order    []int64 // of writers: who wrote last in a shard's ledger comes last
	unproven []string
}

// origins finds those of which there is a ledger of progress.
func (b *builder) origins(ctx context.Context) error {
	for _, topic := range slices.Sorted(maps.Keys(b.topics)) {
		alias, ok := strings.CutPrefix(topic, checkpoint.ProgressTopic(""))
		if !ok {
			continue
		}
		o := &origin{alias: topology.Alias(alias), holdings: checkpoint.NewHoldings(b.Cluster, topology.Alias(alias)), writers: map[int64]*Writer{}}
		if err := o.holdings.Refresh(ctx); err != nil && !checkpoint.IsNoTable(err) {
			return err
		}
		for _, ledger := range []string{checkpoint.OffsetsTopic(o.alias), topic} { // progress last: it tells who wrote last
			if err := b.ledger(ctx, o, ledger); err != nil {
				return err
			}
		}
		if err := b.copies(ctx, o); err != nil {
			return err
		}
		o.id = b.idOf(ctx, o)
		b.found = append(b.found, o)
	}
	return nil
}

// ledger finds who wrote into a ledger of an origin: a shard's partition is written by its own writer alone.
func (b *builder) ledger(ctx context.Context, o *origin, topic string) error {
	for _, p := range b.topics[topic] {
		at, err := b.Cluster.BoundsOf(ctx, p)
		if err != nil {
			return err
		}
		err = b.Cluster.Batches(ctx, p, at.Start, at.End, func(x batch.Batch) (bool, error) {
			o.met(x, int(p.Number), "ledger")
			return true, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// met notes a batch that a shard's writer wrote.
func (o *origin) met(x batch.Batch, shard int, proof string) {
	id := x.ProducerID()
	if x.Magic() < 2 || id < 0 {
		return
	}
	w := o.writers[id]
	if w == nil {
		w = &Writer{ID: id, Origin: o.alias, Shard: shard, Proof: proof}
		o.writers[id] = w
	} else if proof == "ledger" {
		o.order = slices.DeleteFunc(o.order, func(x int64) bool { return x == id })
	}
	w.Epoch = max(w.Epoch, x.ProducerEpoch())
	if !slices.Contains(o.order, id) {
		if proof == "ledger" {
			o.order = append(o.order, id)
		} else {
			o.order = slices.Insert(o.order, 0, id)
		}
	}
}

// copies looks for writers that were replaced since: at the places where an origin's records lie by its map.
func (b *builder) copies(ctx context.Context, o *origin) error {
	for key, prog := range o.holdings.All() {
		topic, number, err := checkpoint.SplitKey(key)
		if err != nil {
			return err
		}
		p, there := b.byID[prog.DstID][number]
		if !there {
			continue
		}
		w, err := o.holdings.Written(topic, number)
		if err != nil {
			return err
		}
		probe := &prober{builder: b, origin: o, at: p, written: w, shard: topology.ShardOf(topic, number)}
		if err := probe.run(ctx); err != nil {
			return err
		}
	}
	return nil
}

// idOf is the cluster id of an origin: as surviving registrations have it, as the headers of its records do, as the topology says, or as the
// cluster says itself. Where they disagree, it is not known.
func (b *builder) idOf(ctx context.Context, o *origin) string {
	var ids []string
	for _, w := range b.writers.IDs() {
		if w.Origin == o.alias {
			ids = append(ids, w.OriginID)
		}
	}
	ids = append(ids, o.said...)
	c, listed := b.Topology.Clusters[o.alias]
	if listed && c.ID != "" {
		ids = append(ids, c.ID)
	}
	if len(ids) == 0 && listed {
		if id, err := b.ask(ctx, o.alias); err == nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	if ids = slices.Compact(ids); len(ids) != 1 {
		return ""
	}
	return ids[0]
}

func (b *builder) ask(ctx context.Context, a topology.Alias) (string, error) {
	c, err := b.Dial(a)
	if err != nil {
		return "", err
	}
	defer c.Close()
	id, _, err := c.Identity(ctx)
	return id, err
}

// says notes the cluster that the headers of a batch at a place of the origin's map name.
func (o *origin) says(r *batch.Reader, x batch.Batch) error {
	if err := r.Reset(x); err != nil {
		return fmt.Errorf("reading the batch at offset %d: %w", x.BaseOffset(), err)
	}
	if r.Next() { // all of a writer's records are of one origin
		value, _ := r.Record().LastHeader(loop.HeaderKey)
		if h, err := loop.DecodeHeader(value); err == nil && !slices.Contains(o.said, loop.ClusterID(h.Cluster).String()) {
			o.said = append(o.said, loop.ClusterID(h.Cluster).String())
		}
	}
	return r.Err()
}
