package checkpoint

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// Writer is the registration of one producer id. It is in the registry before the id's first batch is anywhere.
type Writer struct {
	Version   int            `json:"v"`          // 1
	ClusterID string         `json:"cluster_id"` // of the destination
	Origin    topology.Alias `json:"origin"`
	OriginID  string         `json:"origin_id"` // the origin's cluster id
	Shard     int            `json:"shard"`
	Epoch     int16          `json:"epoch"`
	Node      string         `json:"node"`
	Held      uint64         `json:"held"` // epoch of the assignment by which the node holds the shard
	At        int64          `json:"at"`   // ms
}

// Registration is a writer with its place among all registrations of its cluster.
type Registration struct {
	Writer
	Shard topology.Shard
	ID    kafka.ProducerID // one for each time that somebody took the writer over
	Seq   int64            // offset in meshd.writers
}

// Writers is the registry of one cluster, as far as it was read.
type Writers struct {
	table   Table
	byID    map[int64]Writer
	rivals  map[int64]Writer
	holders map[topology.Shard]Registration
}

// NewWriters makes an unread registry.
func NewWriters(c *kafka.Cluster) *Writers {
	w := &Writers{byID: map[int64]Writer{}, rivals: map[int64]Writer{}, holders: map[topology.Shard]Registration{}}
	w.table = Table{Cluster: c, Topic: WritersTopic, Apply: w.apply}
	return w
}

// Refresh reads what was written before the call. Its error is a kafka.Reason registry_lost where the registry is not the one that was
// read before, or is not there: EnsureWriters made it.
func (w *Writers) Refresh(ctx context.Context) error {
	err := w.table.Refresh(ctx)
	for tries := 0; IsNoTable(err) && tries < lateTries && kafka.Sleep(ctx, lateWait) == nil; tries++ {
		err = w.table.Refresh(ctx)
	}
	return lost(w.table.Cluster, err)
}

// Lookup finds the writer that owns a producer id.
func (w *Writers) Lookup(id int64) (Writer, bool) {
	x, ok := w.byID[id]
	return x, ok
}

// Holder is the last that registered for a shard.
func (w *Writers) Holder(s topology.Shard) (Registration, bool) {
	x, ok := w.holders[s]
	return x, ok
}

// Holders are the last registrations of all shards. The caller must not change the map, nor use it beside Refresh.
func (w *Writers) Holders() map[topology.Shard]Registration { return w.holders }

// barrierKey is the key of a record that says nothing: who wrote it has read all that was there before once it is read.
const barrierKey = "!barrier"

// Barrier writes a record to the registry, acknowledged by all in-sync replicas, and reads up to it. So no leader that was replaced
// can hide a registration that was acknowledged before the call. Without the right to write there, or where the cluster is read_only, the
// end that the leader gives has to do.
func (w *Writers) Barrier(ctx context.Context) error {
	if w.table.Cluster.Config.ReadOnly {
		return w.Refresh(ctx)
	}
	err := Append(ctx, w.table.Cluster, &kgo.Record{Topic: WritersTopic, Key: []byte(barrierKey), Value: []byte("{}")})
	if err != nil && kafka.Classify(err) != kafka.Denied {
		return err
	}
	return w.Refresh(ctx)
}

// IDs are all producer ids that are registered, with their writers. The caller must not change the map, nor use it beside Refresh.
func (w *Writers) IDs() map[int64]Writer { return w.byID }

// Rivals are the earlier registrations of producer ids that were registered for another origin since, as far as compaction left them. It
// is to be used as IDs is.
func (w *Writers) Rivals() map[int64]Writer { return w.rivals }

func (w *Writers) apply(r *kgo.Record) error {
	if string(r.Key) == barrierKey {
		return nil
	}
	id, err := strconv.ParseInt(string(r.Key), 10, 64)
	if err != nil {
		return fmt.Errorf("decoding the key of a writer: %w", err)
	}
	if r.Value == nil {
		delete(w.byID, id)
		return nil
	}
	var x Writer
	if err := json.Unmarshal(r.Value, &x); err != nil {
		return fmt.Errorf("decoding writer %d: %w", id, err)
	}
	if x.Version != 1 {
		return fmt.Errorf("writer %d has version %d: a newer meshd wrote it", id, x.Version)
	}
	if was, ok := w.byID[id]; ok && was.OriginID != x.OriginID {
		w.rivals[id] = was
	}
	w.byID[id] = x
	shard := topology.Shard{Origin: x.Origin, Destination: w.table.Cluster.Config.Alias, Number: x.Shard}
	w.holders[shard] = Registration{Writer: x, Shard: shard, ID: kafka.ProducerID{ID: id, Epoch: x.Epoch}, Seq: r.Offset}
	return nil
}

// Register writes the registration of id, acknowledged by all in-sync replicas of the destination, and returns its Seq.
func Register(ctx context.Context, c *kafka.Cluster, id kafka.ProducerID, x Writer) (seq int64, err error) {
	x.Version, x.Epoch = 1, id.Epoch
	value, err := json.Marshal(x)
	if err != nil {
		return 0, fmt.Errorf("encoding a writer: %w", err)
	}
	r := &kgo.Record{Topic: WritersTopic, Key: strconv.AppendInt(nil, id.ID, 10), Value: value}
	err = Append(ctx, c, r)
	return r.Offset, err
}
