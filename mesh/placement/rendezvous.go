package placement

import (
	"hash/fnv"

	"github.com/meshd/meshd/topology"
)

// Rank returns how many of the nodes come before one in the order that is this shard's own: highest random weight, or rendezvous
// hashing (Thaler and Ravishankar, 1998). Nodes that know the same names agree on it without a word. The node itself need not be
// among them.
func Rank(shard topology.Shard, nodes []string, node string) int {
	rank, own := 0, score(shard, node)
	for _, other := range nodes {
		if other == node {
			continue
		}
		if s := score(shard, other); s > own || s == own && other < node {
			rank++
		}
	}
	return rank
}

// score mixes FNV-1a's sum by the finalizer of splitmix64: FNV alone leaves names that differ in their last letter close together.
func score(shard topology.Shard, node string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(shard.String() + "\x00" + node)) // a hash never fails
	x := h.Sum64()
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
