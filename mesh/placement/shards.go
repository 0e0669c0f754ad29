package placement

import (
	"slices"

	"github.com/meshd/meshd/raftstore/state"
	"github.com/meshd/meshd/topology"
)

// Shards returns all shards that end in a datacenter, in order: those that its nodes write.
func Shards(t *topology.Topology, datacenter string) []topology.Shard {
	var shards []topology.Shard
	for _, pair := range t.Inflows() {
		if t.Clusters[pair.Destination].Datacenter != datacenter {
			continue
		}
		for number := range topology.Shards {
			shards = append(shards, topology.Shard{Origin: pair.Source, Destination: pair.Destination, Number: number})
		}
	}
	return sorted(shards)
}

// Nodes returns the names of a datacenter's nodes, in order.
func Nodes(t *topology.Topology, datacenter string) []string {
	var names []string
	for name, node := range t.Nodes {
		if node.Datacenter == datacenter {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func sorted(shards []topology.Shard) []topology.Shard {
	shards = slices.Clone(shards)
	slices.SortFunc(shards, state.CompareShards)
	return slices.Compact(shards)
}
