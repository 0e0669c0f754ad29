package sim

import (
	"encoding/binary"
	"fmt"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// cluster is a Kafka cluster, and what meshd keeps there.
type cluster struct {
	number   int
	alias    topology.Alias
	down     bool
	gone     bool // for ever
	topics   map[string]*topic
	past     map[string][]*topic // and those before, for the audit
	nextID   int64
	app      int64 // producer id of its applications, and how much they wrote to a partition
	written  map[*partition]int32
	txns     map[string]kafka.ProducerID // by transactional id
	registry registry
	serves   map[*partition]int64 // below it a log serves nobody: the registry does not know who wrote there
	accepted map[int]int32        // by topic id: its incarnation
	expired  bool                 // producer ids did, so its coordinator does not know all that ever wrote
	stores   []*store             // by origin
	stored   []int                // which generation of a store is known to be the one
	known    map[int]noted        // of registries, its own too
}

type topic struct {
	id    int
	parts []*partition
}

const firstID = 1000 // the same in each cluster: a producer id says nothing elsewhere

func name(i int) topology.Alias { return topology.Alias(string(rune('a' + i))) }

func number(a topology.Alias) int { return int(a[0] - 'a') }

func newCluster(i, n int) *cluster {
	c := &cluster{
		number: i, alias: name(i), topics: map[string]*topic{}, past: map[string][]*topic{}, nextID: firstID, txns: map[string]kafka.ProducerID{},
		accepted: map[int]int32{}, stores: make([]*store, n), stored: make([]int, n), known: map[int]noted{}, written: map[*partition]int32{}, serves: map[*partition]int64{},
	}
	c.app = c.newID()
	for o := range c.stores {
		c.stores[o] = newStore()
	}
	return c
}

func (c *cluster) newID() int64 {
	c.nextID++
	return c.nextID
}

// make makes a topic, in place of one of this name.
func (c *cluster) make(name string, id, parts int) {
	t := &topic{id: id}
	for range parts {
		t.parts = append(t.parts, newPartition())
	}
	if old := c.topics[name]; old != nil {
		c.past[name] = append(c.past[name], old)
	}
	c.topics[name] = t
}

// start is where a log begins for who reads it.
func (c *cluster) start(p *partition) int64 { return max(p.start, min(c.serves[p], p.end)) }

// initProducer is InitProducerId.
func (c *cluster) initProducer(txn string) kafka.ProducerID {
	id, ok := c.txns[txn]
	if ok {
		id.Epoch++
	} else {
		id = kafka.ProducerID{ID: c.newID()}
	}
	c.txns[txn] = id
	return id
}

// produce takes a writer's batch for the topic of that id.
func (c *cluster) produce(name string, id int, part int32, b batch, leader int32) (int64, error) {
	t := c.topics[name]
	if t.id != id {
		return 0, errTopic
	}
	return t.parts[part].produce(b, leader)
}

// write is an application's batch: idempotent or without an id.
func (c *cluster) write(name string, part int, records []record, plain bool) int64 {
	p := c.topics[name].parts[part]
	b := batch{by: kafka.ProducerID{ID: -1, Epoch: -1}, records: records}
	if !plain {
		b.by, b.seq = kafka.ProducerID{ID: c.app}, c.written[p]
		c.written[p] += int32(len(records))
	}
	return p.put(b)
}

// uuid is a topic's id as Kafka has it.
func uuid(id int) (out [16]byte) {
	binary.BigEndian.PutUint64(out[8:], uint64(id))
	return out
}

func key(topic string, part int) string { return fmt.Sprintf("%s/%d", topic, part) }
