package integration

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/internal/kafkatest"
	"github.com/meshd/meshd/internal/kafkatest/logread"
)

// Retention takes records away before they were copied: the partition stops and says so, and goes on behind the gap where the
// topology allows that.
func TestRetentionOvertakes(t *testing.T) {
	parallel(t)
	sites := shared(t, "us", "eu")
	us, eu := sites[0], sites[1]
	c := copyOf{us, eu, kafkatest.UniqueTopic(t, "gap")}
	n := produceEach(t, 1_000, c)
	m := newMesh(t, oneWay("us", "eu", c.topic), sites...)
	node := m.start(t, "eu-1")
	c.verify(t, n)
	node.stop(t)
	missed := us.Produce(t, c.topic, kafkatest.Workload{Seed: 1, Records: 1_000, Partitions: 2})
	deleteBefore(t, us, c.topic, missed)
	kept := us.Produce(t, c.topic, kafkatest.Workload{Seed: 2, Records: 1_000, Partitions: 2})

	node = m.start(t, "eu-1")
	p := m.awaitReason(t, "eu-1", "retention_gap", c.topic)
	if got := len(eu.ReadAll(t, c.remote(), logread.Uncommitted)); got != n {
		t.Errorf("the copy has %d records, not the %d from before the gap", got, n)
	}
	node.stop(t)
	m.links += "\n    on_gap: continue"
	m.write(t)
	m.start(t, "eu-1")
	startWatch(t, eu, c.remote()).await(t, n+len(kept))
	sameTail(t, eu.ReadAll(t, c.remote(), logread.Uncommitted), kept)
	t.Logf("it said: %s (%s)", p.Text, p.Hint)
}

// deleteBefore has the source forget everything up to the last of records.
func deleteBefore(t *testing.T, s *site, topic string, records []*kgo.Record) {
	t.Helper()
	var offsets kadm.Offsets
	for _, r := range records {
		offsets.AddOffset(topic, r.Partition, r.Offset+1, -1)
	}
	rs, err := kadm.NewClient(s.Client(t)).DeleteRecords(t.Context(), offsets)
	if err == nil {
		err = rs.Error()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// sameTail compares the end of each partition with records.
func sameTail(t *testing.T, got, tail []*kgo.Record) {
	t.Helper()
	gots, wants := byPartition(got), byPartition(tail)
	for p, want := range wants {
		have := gots[p]
		if len(have) < len(want) {
			t.Fatalf("partition %d has %d records, want %d", p, len(have), len(want))
		}
		for i, r := range have[len(have)-len(want):] {
			if string(r.Key) != string(want[i].Key) || string(r.Value) != string(want[i].Value) {
				t.Fatalf("partition %d: offset %d holds key %q, want %q", p, r.Offset, r.Key, want[i].Key)
			}
		}
	}
}

func byPartition(rs []*kgo.Record) map[int32][]*kgo.Record {
	by := map[int32][]*kgo.Record{}
	for _, r := range rs {
		by[r.Partition] = append(by[r.Partition], r)
	}
	return by
}
