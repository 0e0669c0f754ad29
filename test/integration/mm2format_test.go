package integration

import (
	wire "encoding/binary" // the other name is that of meshd's file
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/internal/kafkatest/logread"
)

// heartbeats lists the links of which a cluster has heartbeats, as MirrorMaker 2 writes them: the key is two strings, the value a
// version and a time (Apache Kafka's connect/mirror-client, Heartbeat).
func heartbeats(t *testing.T, s *site) []string {
	t.Helper()
	var links []string
	for _, r := range s.ReadAll(t, "heartbeats", logread.Uncommitted) {
		k, v := fields{t, r.Key}, fields{t, r.Value}
		links = append(links, k.text()+"->"+k.text())
		if version, at := v.int16(), v.int64(); version != 0 || at <= 0 || len(k.rest)+len(v.rest) > 0 {
			t.Errorf("heartbeat %q %x: version %d, time %d", r.Key, r.Value, version, at)
		}
	}
	return links
}

// checkpoint is a place in a copy, with the commit that it is the translation of.
type checkpoint struct {
	upstream, downstream int64
	metadata             string
}

// checkpoints reads, by partition, what MirrorMaker 2's readers would of a group's places: the key is group, topic and partition, the value a
// version, both offsets, and metadata (connect/mirror-client, Checkpoint). The last one of a key holds.
func (g *group) checkpoints(t *testing.T) map[int32]checkpoint {
	t.Helper()
	topic := g.from.alias + ".checkpoints.internal"
	if len(layout(t, g.to, topic)) != 1 {
		return nil
	}
	found := map[int32]checkpoint{}
	for _, r := range g.to.ReadAll(t, topic, logread.Uncommitted) {
		k, v := fields{t, r.Key}, fields{t, r.Value}
		name, of, partition := k.text(), k.text(), int32(k.uint32())
		version, c := v.int16(), checkpoint{v.int64(), v.int64(), v.text()}
		if version != 0 || len(k.rest)+len(v.rest) > 0 {
			t.Errorf("checkpoint %q %x of version %d", r.Key, r.Value, version)
		}
		if name == g.name && of == g.remote() {
			found[partition] = c
		}
	}
	return found
}

// awaitCheckpoints waits until every commit of the group has its checkpoint, and checks that as many records lie before the one as
// before the other.
func (g *group) awaitCheckpoints(t *testing.T) map[int32]checkpoint {
	t.Helper()
	commits, err := kadm.NewClient(g.from.Client(t)).FetchOffsets(t.Context(), g.name)
	if err != nil {
		t.Fatal(err)
	}
	var found map[int32]checkpoint
	await(t, "checkpoints of "+g.name, func() (string, bool) {
		found = g.checkpoints(t)
		current := len(found) > 0 && len(found) == len(commits[g.topic])
		for p, o := range commits[g.topic] {
			current = current && found[p].upstream == o.At && found[p].metadata == o.Metadata
		}
		return fmt.Sprintf("%v, want those of %v", found, commits[g.topic]), current
	})
	source, dest := byPartition(g.from.ReadAll(t, g.topic, logread.Committed)), byPartition(g.to.ReadAll(t, g.remote(), logread.Committed))
	for p, c := range found {
		if want, got := before(source[p], c.upstream), before(dest[p], c.downstream); got != want {
			t.Errorf("partition %d: %d records lie before the commit, %d before its checkpoint", p, want, got)
		}
	}
	return found
}

func before(rs []*kgo.Record, offset int64) (n int) {
	for _, r := range rs {
		if r.Offset < offset {
			n++
		}
	}
	return n
}

// translates asks Apache Kafka's own RemoteClusterUtils, which reads the checkpoints, where the group would go on.
func (g *group) translates(t *testing.T, want map[int32]checkpoint) {
	t.Helper()
	got := strings.Fields(kafkaTool(t, "translate-offsets", g.to.Bootstrap()[0], g.from.alias, g.name))
	var wanted []string
	for _, p := range slices.Sorted(maps.Keys(want)) {
		wanted = append(wanted, g.remote(), strconv.Itoa(int(p)), strconv.FormatInt(want[p].downstream, 10), want[p].metadata)
	}
	if !slices.Equal(got, wanted) {
		t.Errorf("RemoteClusterUtils says %v, want %v", got, wanted)
	}
}

// fields takes apart what MirrorMaker 2 puts together: numbers are big endian, a text is its length as int16 and UTF-8.
type fields struct {
	t    *testing.T
	rest []byte
}

func (f *fields) take(n int) []byte {
	f.t.Helper()
	if n < 0 || n > len(f.rest) {
		f.t.Fatalf("%d bytes are wanted of %x", n, f.rest)
	}
	b := f.rest[:n]
	f.rest = f.rest[n:]
	return b
}

func (f *fields) int16() int16   { return int16(wire.BigEndian.Uint16(f.take(2))) }
func (f *fields) uint32() uint32 { return wire.BigEndian.Uint32(f.take(4)) }
func (f *fields) int64() int64   { return int64(wire.BigEndian.Uint64(f.take(8))) }
func (f *fields) text() string   { return string(f.take(int(f.int16()))) }
