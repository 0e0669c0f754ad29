package integration

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/internal/kafkatest/logread"
)

// copyOf is one topic and its copy.
type copyOf struct {
	from, to *site
	topic    string
}

func (c copyOf) remote() string { return c.from.alias + "." + c.topic }

// verify waits until n records have arrived and compares both topics: complete, once each, in order, identical.
func (c copyOf) verify(t testing.TB, n int) {
	t.Helper()
	startWatch(t, c.to, c.remote()).await(t, n)
	c.same(t, n)
}

func (c copyOf) same(t testing.TB, n int) {
	t.Helper()
	want := byPartition(c.from.ReadAll(t, c.topic, logread.Committed))
	got := byPartition(c.to.ReadAll(t, c.remote(), logread.Uncommitted))
	total := 0
	for p, w := range want {
		total += len(w)
		if d := differs(w, got[p]); d != "" {
			t.Errorf("%s/%d at %s: %s", c.remote(), p, c.to.alias, d)
		}
	}
	if total != n || len(got) > len(want) {
		t.Errorf("%s: %d records in %d partitions, want %d; the copy has %d partitions", c.topic, total, len(want), n, len(got))
	}
}

func byPartition(rs []*kgo.Record) map[int32][]*kgo.Record {
	m := map[int32][]*kgo.Record{}
	for _, r := range rs {
		m[r.Partition] = append(m[r.Partition], r)
	}
	return m
}

func differs(want, got []*kgo.Record) string {
	for i := range min(len(want), len(got)) {
		if !equal(want[i], got[i]) {
			return fmt.Sprintf("record %d of %d/%d: source offset %d key %.20q, destination offset %d key %.20q", i, len(want), len(got), want[i].Offset, want[i].Key, got[i].Offset, got[i].Key)
		}
	}
	if len(want) != len(got) {
		return fmt.Sprintf("%d records, want %d", len(got), len(want))
	}
	return ""
}

func equal(a, b *kgo.Record) bool {
	same := func(x, y []byte) bool { return bytes.Equal(x, y) && (x == nil) == (y == nil) }
	return same(a.Key, b.Key) && same(a.Value, b.Value) && a.Timestamp.Equal(b.Timestamp) &&
		slices.EqualFunc(a.Headers, b.Headers, func(x, y kgo.RecordHeader) bool { return x.Key == y.Key && same(x.Value, y.Value) })
}
