package topology

import "testing"

// The numbers are part of the format on disk and on the wire.
func TestShardOf(t *testing.T) {
	for _, c := range []struct {
		topic     string
		partition int32
		want      int
	}{
		// FNV-1a of the empty text is its offset basis, 2166136261, and of "a" 0xe40c292c (draft-eastlake-fnv).
		{"", 0, 2166136261 % 32}, {"a", 0, 0xe40c292c % 32}, {"a", 1, 0xe40c292c%32 + 1}, {"a", 32, 0xe40c292c % 32},
	} {
		if got := ShardOf(c.topic, c.partition); got != c.want {
			t.Errorf("ShardOf(%q, %d) = %d, want %d", c.topic, c.partition, got, c.want)
		}
	}
	seen := map[int]bool{}
	for p := range int32(Shards) {
		seen[ShardOf("orders", p)] = true
	}
	if len(seen) != Shards {
		t.Errorf("%d partitions of a topic fall into %d shards", Shards, len(seen))
	}
}

func TestShardString(t *testing.T) {
	if got := (Shard{"us", "eu", 7}).String(); got != "us->eu.7" {
		t.Error(got)
	}
}
