package checkpoint

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// TopicEntry is what the registry knows of one topic.
type TopicEntry struct {
	Version int            `json:"v"` // 1
	Kind    TopicKind      `json:"kind"`
	Origin  topology.Alias `json:"origin,omitempty"` // where its records were first produced
	Topic   string         `json:"topic,omitempty"`  // its name there
	TopicID string         `json:"topic_id,omitempty"`
	// Start is where copying began: earliest, latest or a time; for the first Initial partitions. Those that were added to the
	// source later are read from their beginning.
	Start   string `json:"start,omitempty"`
	Initial int    `json:"initial,omitempty"`
	// Positions is where an adopted topic's copying goes on, by partition, as the tool that made it left it.
	Positions map[int32]int64 `json:"positions,omitempty"`
}

// TopicKind says how meshd came by a topic.
type TopicKind string

// The kinds. Intent stands in the registry before the topic is created, so that a crash in between leaves no topic that
// nobody knows.
const (
	Intent  TopicKind = "intent"
	Created TopicKind = "created"
	Adopted TopicKind = "adopted"
	Local   TopicKind = "local"  // looks like a remote topic, and a person said that it is not
	Shared  TopicKind = "shared" // has one name everywhere (identity naming), and applications write into it
)

// FromKey is the key of the entry that says since when a shared topic takes an origin's records: Origin, Start and Initial. '!' is in no
// topic's name.
func FromKey(topic string, origin topology.Alias) string { return topic + "!" + string(origin) }

const (
	birthPrefix  = "!birth/" // '!' is in no topic's name. Each birth has a key of its own, so compaction keeps the first.
	seenPrefix   = "!seen/"
	flowPrefix   = "!flow/"
	ledgerPrefix = "!ledger/" // then an origin
	namePrefix   = "!name/"   // then a mesh, a cluster id, and its alias there: of each, too, the first one stays the first
	writersKey   = "!writers"
	rebuiltKey   = "!rebuilt"
)

// Topics is the registry of one cluster, as far as it was read.
type Topics struct {
	table   Table
	entries map[string]TopicEntry
	birth   string
	writers string // which meshd.writers is the cluster's; "" while none is known
	rebuilt string
	seen    map[topology.Alias]string
	flows   map[topology.Alias]string
	names   map[string]topology.Alias // by mesh and cluster id
	ledgers map[topology.Alias]string

	incarnations map[string][]Incarnation // by topic of this cluster
	cuts         map[string]Cut           // the same
}

// NewTopics makes an unread registry.
func NewTopics(c *kafka.Cluster) *Topics {
	t := &Topics{
		entries: map[string]TopicEntry{}, seen: map[topology.Alias]string{}, flows: map[topology.Alias]string{}, names: map[string]topology.Alias{},
		ledgers: map[topology.Alias]string{}, incarnations: map[string][]Incarnation{}, cuts: map[string]Cut{},
	}
	t.table = Table{Cluster: c, Topic: TopicsTopic, Apply: t.apply}
	return t
}

// Refresh reads what was written before the call. ErrNoTable means that meshd never wrote to this cluster, or that the
// registry was lost: Birth of an earlier reading tells which.
func (t *Topics) Refresh(ctx context.Context) error { return t.table.Refresh(ctx) }

// Birth is the id of the registry itself; "" while it has none.
func (t *Topics) Birth() string { return t.birth }

// HasWriters says whether the cluster has, or had, a registry of writers.
func (t *Topics) HasWriters() bool { return t.writers != "" }

// Rebuilt names the last time that a person had what was lost of the cluster's registries made again; "" where that never was. Who found them
// lost before may begin anew.
func (t *Topics) Rebuilt() string { return t.rebuilt }

// BeRebuilt notes which meshd.writers is the cluster's from now on, and that the registries were made again.
func (t *Topics) BeRebuilt(ctx context.Context, writers [16]byte, id string) error {
	if err := t.put(ctx, writersKey, []byte(writersName(writers))); err != nil {
		return err
	}
	return t.put(ctx, rebuiltKey, []byte(id))
}

// KnowsWriters says whether a topic is the cluster's meshd.writers, as far as is known.
func (t *Topics) KnowsWriters(id [16]byte) bool { return t.writers == writersName(id) }

func writersName(id [16]byte) string { return "id:" + TopicID(id) }

// Seen is the birth of another cluster's registry as this cluster remembers it; "" if it was never read.
func (t *Topics) Seen(a topology.Alias) string { return t.seen[a] }

// Entries are the topics that the registry knows. The caller must not change the map, nor use it beside Refresh.
func (t *Topics) Entries() map[string]TopicEntry { return t.entries }

func (t *Topics) apply(r *kgo.Record) error {
	key := string(r.Key)
	switch {
	case strings.HasPrefix(key, birthPrefix):
		if t.birth == "" { // the first one counts: a second was written by a node that had not read it
			t.birth = key[len(birthPrefix):]
		}
	case strings.HasPrefix(key, seenPrefix):
		t.seen[topology.Alias(key[len(seenPrefix):])] = string(r.Value)
	case strings.HasPrefix(key, flowPrefix):
		t.flows[topology.Alias(key[len(flowPrefix):])] = string(r.Value)
	case key == writersKey:
		t.writers = string(r.Value)
	case strings.HasPrefix(key, ledgerPrefix):
		t.ledgers[topology.Alias(key[len(ledgerPrefix):])] = string(r.Value)
	case key == rebuiltKey:
		t.rebuilt = string(r.Value)
	case strings.HasPrefix(key, namePrefix):
		t.applyName(key[len(namePrefix):])
	case strings.HasPrefix(key, incarnationPrefix):
		return t.applyClaim(key, r.Value)
	case strings.HasPrefix(key, cutPrefix):
		return t.applyCut(key[len(cutPrefix):], r.Value)
	case r.Value == nil:
		delete(t.entries, key)
	default:
		return t.applyEntry(key, r.Value)
	}
	return nil
}

func (t *Topics) applyName(key string) {
	cut := max(0, strings.LastIndexByte(key, '/'))
	if _, named := t.names[key[:cut]]; !named {
		t.names[key[:cut]] = topology.Alias(key[cut:][1:])
	}
}

func (t *Topics) applyEntry(key string, value []byte) error {
	var e TopicEntry
	if err := json.Unmarshal(value, &e); err != nil {
		return fmt.Errorf("decoding the entry of topic %s: %w", key, err)
	}
	if e.Version != 1 {
		return fmt.Errorf("the entry of topic %s has version %d: a newer meshd wrote it", key, e.Version)
	}
	t.entries[key] = e
	return nil
}

// Put writes an entry, and reads it back into the registry.
func (t *Topics) Put(ctx context.Context, topic string, e TopicEntry) error {
	e.Version = 1
	value, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encoding the entry of topic %s: %w", topic, err)
	}
	return t.put(ctx, topic, value)
}

// Remember notes the birth of another cluster's registry, so that its loss is noticed.
func (t *Topics) Remember(ctx context.Context, a topology.Alias, birth string) error {
	return t.put(ctx, seenPrefix+string(a), []byte(birth))
}

// FlowBegan says when the topics of a source were first looked at, as RFC 3339; "" if they never were.
func (t *Topics) FlowBegan(source topology.Alias) string { return t.flows[source] }

// BeginFlow notes that the topics of a source have been looked at for the first time.
func (t *Topics) BeginFlow(ctx context.Context, source topology.Alias) error {
	return t.put(ctx, flowPrefix+string(source), []byte(time.Now().UTC().Format(time.RFC3339)))
}

// Name gives a cluster id the alias by which it goes in a mesh, unless it goes by another one already, and returns that by which it goes.
func (t *Topics) Name(ctx context.Context, mesh, id string, a topology.Alias) (topology.Alias, error) {
	key := mesh + "/" + id
	if was, named := t.names[key]; named {
		return was, nil
	}
	err := t.put(ctx, namePrefix+key+"/"+string(a), []byte(a))
	return t.names[key], err
}

// LostLedger says whether the topic id of an origin's progress topic is another one than that which it had first: then what it held is
// lost, and stays so. One that is noted now is fresh.
func (t *Topics) LostLedger(ctx context.Context, origin topology.Alias, id [16]byte) (lost, fresh bool, err error) {
	if was, known := t.ledgers[origin]; known || id == ([16]byte{}) { // brokers before 2.8 have no topic ids
		return known && was != TopicID(id), false, nil
	}
	return false, true, t.put(ctx, ledgerPrefix+string(origin), []byte(TopicID(id)))
}

// BeBorn gives the registry its birth record if it has none.
func (t *Topics) BeBorn(ctx context.Context, id string) error {
	if err := t.Refresh(ctx); err != nil || t.birth != "" {
		return err
	}
	return t.put(ctx, birthPrefix+id, []byte(id))
}

func (t *Topics) put(ctx context.Context, key string, value []byte) error {
	r := &kgo.Record{Topic: TopicsTopic, Key: []byte(key), Value: value}
	if err := Append(ctx, t.table.Cluster, r); err != nil {
		return err
	}
	return t.Refresh(ctx)
}

// TopicID writes a topic id as the registry holds it; "" for none.
func TopicID(id [16]byte) string {
	if id == ([16]byte{}) {
		return ""
	}
	return hex.EncodeToString(id[:])
}

// IsNoTable says whether err means that a table's topic does not exist.
func IsNoTable(err error) bool { return errors.Is(err, ErrNoTable) }
