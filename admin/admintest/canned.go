package admintest

import (
	"fmt"
	"time"

	"github.com/meshd/meshd/admin"
	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
	"github.com/meshd/meshd/topology"
)

const text = `version: 12
mesh: retail
clusters:
  us: {bootstrap: ["127.0.0.1:9092"]}
  eu: {bootstrap: ["127.0.0.1:9192"]}
  old: {bootstrap: ["127.0.0.1:9292"], read_only: true}
nodes:
  us-1: {datacenter: us, address: 127.0.0.1}
  eu-1: {datacenter: eu, address: 127.0.0.2}
  eu-2: {datacenter: eu, address: 127.0.0.3}
links:
  - {name: retail, between: [us, eu], topics: {include: ["orders.*", eu.returns, payments], exclude: [".*tmp"]}}
  - {name: migration, from: [old], to: [eu], paused: true}
metrics: {per_partition: true}
`

// Topology is the one that the nodes here run.
func Topology() *topology.Topology {
	t, err := topology.Parse("topology.yaml", []byte(text))
	if err != nil {
		panic(err)
	}
	return t
}

func node(name string, pairs ...flow.PairStatus) *Node {
	t := Topology()
	n := &Node{Name: name, Topologies: admin.TopologyStatus{Current: t, Accepted: t.Stamp(), Offered: []admin.Offer{}}}
	n.Flow = flow.Status{
		Clusters: []flow.ClusterStatus{{Alias: "eu", ID: "6Z7IdHW4SVO1Pbql4cAAAA"}, {Alias: "us", ID: "6Z7IdHW4SVO1Pbql4cBBBB"}},
		Pairs:    pairs, Memory: 1 << 20,
	}
	for _, m := range []string{"eu-1", "eu-2", "us-1"} {
		n.Members = append(n.Members, admin.NodeStatus{
			Name: m, Datacenter: m[:2], Alive: true, Leader: m != "eu-2", Voter: true, Topology: t.Stamp(),
			Gossip: m + ":7946", Raft: m + ":7947", Admin: m + ":7948", Shards: 16, Build: "1.2.0",
		})
	}
	return n
}

// Well is eu-1 when all is well: it holds one of the two shards of us->eu that have partitions.
func Well(now time.Time) *Node {
	n := node("eu-1", fromUS(now, 3, 0))
	n.ByHome = []admin.GroupsAt{{Home: "eu", SyncedAt: now.Add(-time.Second), Groups: []admin.GroupStatus{
		group("billing", "", 0, ""), group("fraud", "eu", 3, offsetxlate.ReasonMembers),
	}}}
	n.Translations = []admin.Translation{
		{Topic: "orders", Partition: 0, Offset: 50_000, ToTopic: "us.orders", ToOffset: new(int64(49_990)), Exact: true, How: "run"},
		{Topic: "orders", Partition: 1, Offset: 40_000, ToTopic: "us.orders", ToOffset: new(int64(39_000)), Rereads: 12, How: "thinned"},
		{Topic: "payments", Partition: 0, Offset: 7, Reason: &kafka.Reason{Code: "no_map", Text: "its topic is not copied there", Hint: "add payments to the link"}},
	}
	return n
}

// Second is eu-2 when all is well, with the other shard, which is still catching up.
func Second(now time.Time) *Node {
	n := node("eu-2", fromUS(now, 4, 1200))
	n.Flow.Pairs[0].Partitions[0].State = flow.CatchingUp
	return n
}

// fromUS is the pair us->eu with the partitions of orders that one shard has.
func fromUS(now time.Time, shard int, lag int64) flow.PairStatus {
	at := now.Add(-200 * time.Millisecond)
	part := flow.PartStatus{
		Topic: "orders", Partition: int32(shard - 3), Remote: "us.orders", Shard: shard, State: flow.Streaming,
		From: "us", Next: 50_000, Read: 50_000, Dest: 49_990, End: 50_000 + lag, Lag: lag, MapBytes: 96,
		Stats: flow.Stats{Records: 50_000, Bytes: 5_000_000, Aborted: 10, SourceEnd: 50_000 + lag, SourceStable: 50_000 + lag, SeenAt: at},
	}
	return flow.PairStatus{
		Source: "us", Destination: "eu", Ready: true,
		Topics: []flow.TopicStatus{
			{Topic: "eu.returns", From: "us", Kind: loop.Unclaimed, Partitions: 1, Reason: &kafka.Reason{
				Code: kafka.Unclaimed, Text: "topic eu.returns: it is named like a copy of returns from eu, and meshd did not make it",
			}},
			{Topic: "orders", From: "us", Remote: "us.orders", Kind: loop.Local, Partitions: 2},
		},
		Shards:     []flow.ShardStatus{{Number: shard, State: flow.Streaming, Writer: fmt.Sprintf("%d/1", 4000+shard), Epoch: 7}},
		Partitions: []flow.PartStatus{part},
	}
}

func group(name string, active topology.Alias, rereads int64, why offsetxlate.Reason) admin.GroupStatus {
	g := admin.GroupStatus{Group: name, Chain: []topology.Alias{"us"}, Rereads: rereads, Partitions: []admin.GroupPartition{{
		Topic: "us.orders", Source: new(int64(50_000)), Offset: new(int64(49_990)), Exact: rereads == 0, Rereads: rereads, How: "run", Why: why,
	}}}
	if active != "" {
		g.Active = []topology.Alias{active}
	}
	return g
}

// Troubled is eu-1 on a bad day: a record too large, another batch that can't be read, a link at its limit, a shard that is refused, groups that nobody moves, a node gone.
func Troubled(now time.Time) *Node {
	n := Well(now)
	p := &n.Flow.Pairs[0]
	large := &kafka.Reason{
		Code: kafka.RecordTooLarge, Text: "the batch of 2097152 bytes at source offset 7 is larger than us.orders takes",
		Hint: "raise max.message.bytes of the destination topic",
	}
	denied := &kafka.Reason{Code: kafka.PermissionDenied, Text: "TRANSACTIONAL_ID_AUTHORIZATION_FAILED", Hint: "grant WRITE and DESCRIBE on transactional ids with prefix meshd."}
	p.Partitions[0].State, p.Partitions[0].Reason, p.Partitions[0].Next, p.Partitions[0].Read, p.Partitions[0].Lag = flow.Failed, large, 7, 7, 49_993
	p.Shards = append(p.Shards, flow.ShardStatus{Number: 4, State: flow.Backoff, Reason: denied, Epoch: 7})
	p.Partitions = append(p.Partitions, flow.PartStatus{Topic: "orders", Partition: 1, Remote: "us.orders", From: "us", Shard: 4, State: flow.Opening, Reason: denied, Lag: -1})
	p.Throttled = 90 * time.Second
	p.Partitions[0].Warnings = []kafka.Reason{{Code: kafka.BatchSkipped, Text: "source offsets 3 to 4 could not be read, and were left out: unknown codec 7", Hint: "find out what damaged the source's log"}}
	p.Partitions = append(p.Partitions, flow.PartStatus{
		Topic: "orders", Partition: 2, Remote: "us.orders", From: "us", Shard: 3, State: flow.Failed, Next: 20_000, Read: 20_000, Dest: 19_990, End: 50_000, Lag: 30_000,
		Stats:  flow.Stats{Records: 20_000, Corrupt: 1, SourceEnd: 50_000, SourceStable: 50_000, SeenAt: p.Partitions[0].Stats.SeenAt},
		Reason: &kafka.Reason{Code: kafka.CorruptBatch, Text: "the batch at source offset 20000 can't be read: unknown magic 9", Hint: "look at the source's log"},
	})
	n.ByHome[0].Groups = append(n.ByHome[0].Groups,
		group("reports", "", 0, offsetxlate.ReasonSeparate), group("audit", "", 0, offsetxlate.ReasonSeparate), group("new", "", 0, offsetxlate.ReasonNotCovered))
	n.Members[2].Alive, n.Members[2].Leader = false, false
	n.Topologies.Offered = []admin.Offer{{
		Stamp: topology.Stamp{Version: 11, Hash: "00aa11bb22cc"}, From: "/etc/meshd/topology.yaml", Why: "it is older than what runs", Hint: "raise its version",
	}}
	return n
}

// Cut is eu-1 while us can't be reached, for a minute by now.
func Cut(now time.Time) *Node {
	n := Well(now)
	silent := "dialing 127.0.0.1:9092: connection refused"
	n.Flow.Clusters[1].Error, n.Flow.Clusters[1].Hint = silent, "check that the cluster runs and that its bootstrap addresses are reachable from this node"
	p := &n.Flow.Pairs[0]
	p.Reason = &kafka.Reason{Code: kafka.ClusterUnreachable, Text: silent}
	p.Partitions[0].State = flow.Backoff
	p.Partitions[0].Reason = &kafka.Reason{Code: kafka.SourceUnreachable, Text: silent}
	p.Partitions[0].Stats.SeenAt = now.Add(-time.Minute)
	return n
}

// Starting is eu-1 before anything is known.
func Starting() *Node {
	n := node("eu-1", flow.PairStatus{Source: "us", Destination: "eu"})
	n.Topologies, n.Flow.Clusters, n.Members = admin.TopologyStatus{Offered: []admin.Offer{}}, nil, nil
	return n
}
