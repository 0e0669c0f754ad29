package admintest

import (
	"time"

	"github.com/meshd/meshd/admin"
	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/topology"
)

const hubText = `version: 3
mesh: retail
clusters:
  us: {bootstrap: ["127.0.0.1:9092"]}
  eu: {bootstrap: ["127.0.0.1:9192"]}
  ap: {bootstrap: ["127.0.0.1:9292"]}
nodes:
  us-1: {datacenter: us, address: 127.0.0.1}
  eu-1: {datacenter: eu, address: 127.0.0.2}
  ap-1: {datacenter: ap, address: 127.0.0.3}
links:
  - {name: west, between: [us, eu], naming: identity, topics: {include: [orders]}}
  - {name: east, between: [eu, ap], naming: identity, topics: {include: [orders]}}
`

// Spoke is ap-1 where orders has one name everywhere, and what is produced at us comes over eu. An application at eu copies headers, and
// orders was made again at us once.
func Spoke(now time.Time) *Node {
	t, err := topology.Parse("topology.yaml", []byte(hubText))
	if err != nil {
		panic(err)
	}
	n := &Node{Name: "ap-1", Topologies: admin.TopologyStatus{Current: t, Accepted: t.Stamp(), Offered: []admin.Offer{}}}
	direct, over := orders(now, "eu", 25), orders(now, "us", 0)
	direct.Partitions[0].Stats.Ruled = flow.Ruled{Own: 70, OtherSource: 900, Stamped: 1000, CopiedHeader: 4}
	over.Partitions[0].Incarnation, over.Partitions[0].Next = 1, 400
	over.Partitions[0].Stats.Ruled = flow.Ruled{Own: 70, Seen: 3, OtherSource: 1000}
	over.Partitions[0].Stats.GapRecords, over.Partitions[0].Stats.Lacks.Copied = 12, 12
	n.Flow = flow.Status{
		Clusters: []flow.ClusterStatus{{Alias: "ap", ID: "6Z7IdHW4SVO1Pbql4cCCCC"}, {Alias: "eu", ID: "6Z7IdHW4SVO1Pbql4cAAAA"}}, Pairs: []flow.PairStatus{direct, over},
	}
	return n
}

// orders is a pair that is read at eu.
func orders(now time.Time, origin topology.Alias, lag int64) flow.PairStatus {
	return flow.PairStatus{
		Source: origin, Destination: "ap", Ready: true,
		Topics: []flow.TopicStatus{{Topic: "orders", From: "eu", Remote: "orders", Kind: loop.Local, Identity: true, Partitions: 1}},
		Shards: []flow.ShardStatus{{Number: 3, State: flow.Streaming, Writer: "4003/1", Epoch: 2}},
		Partitions: []flow.PartStatus{{
			Topic: "orders", Remote: "orders", From: "eu", Shard: 3, State: flow.Streaming, Next: 1970, Read: 1970, Dest: 1500, End: 1970 + lag, Lag: lag,
			Stats: flow.Stats{Records: 500, Bytes: 50_000, SourceEnd: 1970 + lag, SourceStable: 1970 + lag, SeenAt: now.Add(-200 * time.Millisecond)},
		}},
	}
}
