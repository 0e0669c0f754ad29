package topology

import (
	"fmt"
	"hash/fnv"
)

// Shards is the number of shards from one origin to one destination. It is part of the format on disk and on the wire.
const Shards = 32

// Shard is a fixed bundle of the partitions that come from one origin to one destination: the unit that is assigned to a node,
// fenced and handed over.
type Shard struct {
	Origin      Alias `json:"origin"`
	Destination Alias `json:"destination"`
	Number      int   `json:"number"`
}

func (s Shard) String() string { return fmt.Sprintf("%s->%s.%d", s.Origin, s.Destination, s.Number) }

// ShardOf returns the number of the shard that holds a partition: (FNV-1a(topic) + partition) mod 32. The topic is named as
// at the origin.
func ShardOf(topic string, partition int32) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(topic)) // a hash never fails
	return int((h.Sum32() + uint32(partition)) % Shards)
}
