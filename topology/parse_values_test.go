package topology

import (
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func load(t *testing.T, file string) *Topology {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	topo, err := Parse(file, data)
	if err != nil {
		t.Fatalf("refused:\n%v", err)
	}
	return topo
}

func same(t *testing.T, got, want any) {
	t.Helper()
	opts := cmp.Options{
		cmp.Transformer("pattern", Pattern.String),
		cmpopts.IgnoreUnexported(Topology{}),
	}
	if diff := cmp.Diff(want, got, opts); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func mustPattern(t *testing.T, expr string) Pattern {
	t.Helper()
	p, err := NewPattern(expr)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestMinimal states every default once more, as values.
func TestMinimal(t *testing.T) {
	embedded := Endpoint{Bootstrap: []string{"embedded"}}
	cluster := Cluster{Datacenter: "lab", Inside: embedded, Outside: embedded, RequestTimeout: 10 * time.Second}
	us, eu := cluster, cluster
	us.Alias, eu.Alias = "us", "eu"
	all := []Pattern{mustPattern(t, ".*")}
	same(t, load(t, "testdata/good/minimal.yaml"), &Topology{
		Version:  1,
		Mesh:     "demo",
		Clusters: map[Alias]Cluster{"us": us, "eu": eu},
		Nodes: map[string]Node{"lab-1": {
			Name: "lab-1", Datacenter: "lab", Gossip: "127.0.0.1:7946", Raft: "127.0.0.1:7947", Admin: "127.0.0.1:7948",
		}},
		Links: []Link{{
			Name:   "us<->eu",
			Pairs:  []Pair{{"us", "eu"}, {"eu", "us"}},
			Cost:   1,
			Topics: Topics{Include: all, Exclude: []Pattern{}},
			Groups: Groups{Include: all, Exclude: []Pattern{}, Uncommitted: "start"},
			Settings: LinkSettings{
				Naming: "prefix", Provenance: "headers", Separator: ".", Remote: "ask", OnGap: "stop", OnRecreate: "stop", OnDelete: "keep", Divergence: "refuse",
				SyncGroups: true, SyncConfigs: true, SyncPartitions: true, MM2Checkpoints: true, MM2Heartbeats: true,
				ConfigsExclude: []string{},
			},
		}},
		Intervals: Intervals{
			Discovery: 5 * time.Second, Groups: time.Second, GroupRefresh: 6 * time.Hour, Progress: time.Second,
			Heartbeat: time.Second, Configs: 30 * time.Second,
		},
		Limits:    Limits{Memory: 64 << 20},
		OffsetMap: OffsetMap{MaxBytesPerPartition: 1 << 20},
	})
}

func TestExample(t *testing.T) {
	topo := load(t, "../topology.yaml")
	if len(topo.Warnings()) > 0 {
		t.Errorf("the example has warnings:\n%v", Problems(topo.Warnings()))
	}
	us := topo.Clusters["us"]
	same(t, us, Cluster{
		Alias: "us", ID: "6Z7IdHW4SVO1Pbql4cAAAA", Datacenter: "us-east", RequestTimeout: 10 * time.Second,
		Inside: Endpoint{
			Bootstrap: []string{"kafka-1.us.internal:9093", "kafka-2.us.internal:9093"},
			TLS:       &TLS{CA: "us/ca.pem", Cert: "us/meshd.pem", Key: "us/meshd.key"},
			SASL:      &SASL{Mechanism: "SCRAM-SHA-512", Username: "meshd", PasswordFile: "us/password"},
		},
		Outside: Endpoint{
			Bootstrap: []string{"kafka-wan.us.example.com:9094"},
			TLS:       &TLS{CA: "us/ca.pem", ServerName: "kafka.us.example.com"},
			SASL:      us.Inside.SASL,
		},
	})
	same(t, topo.Clusters["eu"].Outside, topo.Clusters["eu"].Inside)
	same(t, topo.Nodes["us-1"], Node{
		Name: "us-1", Datacenter: "us-east", Bind: "0.0.0.0",
		Gossip: "meshd-0.us.example.com:7946", Raft: "meshd-0.us.example.com:7947", Admin: "meshd-0.us.example.com:7948",
	})
	same(t, topo.Nodes["eu-2"].Admin, "127.0.0.1:7948")
	same(t, *topo.Security, Security{
		TLS: TLS{CA: "ca.pem", Cert: "node.pem", Key: "node.key"}, GossipKeyring: "keyring.json", TokensFile: "tokens.yaml",
	})
	if n := len(topo.Links[0].Pairs); n != 6 {
		t.Errorf("a mesh of three has %d pairs", n)
	}
}

func TestNearer(t *testing.T) {
	topo := load(t, "testdata/good/nearer.yaml")
	same(t, topo.Clusters["us"].RequestTimeout, 5*time.Second)
	same(t, topo.Clusters["us"].InternalReplicationFactor, 2)
	same(t, topo.Clusters["eu"].RequestTimeout, 20*time.Second)
	same(t, topo.Clusters["eu"].InternalReplicationFactor, 0)
	link := LinkSettings{
		Naming: "prefix", Provenance: "headers", Separator: ".", Remote: "ask", OnGap: "stop", OnRecreate: "stop", OnDelete: "keep", Divergence: "refuse",
		SyncGroups: true, SyncPartitions: true, MM2Checkpoints: true, MM2Heartbeats: true,
		ConfigsExclude: []string{"retention.ms"}, ReplicationFactor: -1,
	}
	orders := link
	orders.Start = Start{Time: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)}
	orders.ReplicationFactor, orders.SyncConfigs = 3, true
	logs := link
	logs.OnGap, logs.Separator, logs.Start = "continue", "--", Start{Latest: true}
	for topic, want := range map[string]*LinkSettings{
		"orders":      &orders, // the first rule that matches, though the second does too
		"orders-eu":   &link,   // a rule matches whole names
		"logs":        &logs,
		"my-logs":     nil, // an include matches whole names
		"prod.x":      &link,
		"prodxx":      nil,
		"orders-tmp":  nil,
		"__x":         nil,
		"meshd.nodes": nil,
		"heartbeats":  nil,
		"":            nil,
	} {
		got, ok := topo.Links[0].Topic(topic)
		if want == nil && ok {
			t.Errorf("%q is carried", topic)
		}
		if want != nil {
			same(t, got, *want)
		}
	}
}

// TestIdentitySettings: what is nearer wins, key by key.
func TestIdentitySettings(t *testing.T) {
	links := load(t, "testdata/good/identity.yaml").Links
	for _, c := range []struct {
		link       int
		topic      string
		naming     Naming
		provenance Provenance
		recreate   OnRecreate
		divergence Divergence
	}{
		{0, "orders", Identity, ProvenanceBatch, RecreateIncarnation, DivergenceRefuse},
		{0, "orders.eu", Identity, ProvenanceHeaders, RecreateStop, DivergenceRefuse},
		{0, "orders.us", Prefix, ProvenanceBatch, RecreateIncarnation, DivergenceRefuse},
		{0, "state", Identity, ProvenanceBatch, RecreateIncarnation, DivergenceAllow},
		{1, "a", Identity, ProvenanceBatch, RecreateIncarnation, DivergenceRefuse},
		{1, "b", Prefix, ProvenanceBatch, RecreateIncarnation, DivergenceRefuse},
	} {
		s, ok := links[c.link].Topic(c.topic)
		if !ok || s.Naming != c.naming || s.Provenance != c.provenance || s.OnRecreate != c.recreate || s.Divergence != c.divergence {
			t.Errorf("%s: %+v", c.topic, s)
		}
	}
}

func TestGroup(t *testing.T) {
	l := load(t, "testdata/good/nearer.yaml").Links[0]
	for group, want := range map[string]bool{"app": true, "console-consumer-1": false, "my-console-consumer-1": true, "": true} {
		if got := l.Group(group); got != want {
			t.Errorf("group %q: %t", group, got)
		}
	}
	if l.Groups.Uncommitted != "leave" {
		t.Errorf("uncommitted: %s", l.Groups.Uncommitted)
	}
}

func TestInternal(t *testing.T) {
	for _, topic := range []string{
		"__consumer_offsets", "meshd.progress.us", "mm2-offset-syncs.eu.internal", "mm2-configs.us.internal", "us.checkpoints.internal",
		"heartbeats", "us.heartbeats", "ap.us.heartbeats", "us-checkpoints-internal", "mm2-offsets.us-internal", "us-heartbeats",
	} {
		if !Internal(topic, "-") {
			t.Errorf("%s is not internal", topic)
		}
	}
	for _, topic := range []string{"orders", "meshd", "meshdata.x", "_schemas", "us.internal", "checkpoints.internal.x", "myheartbeats", "us-heartbeats", "mm2", "x.mm2.internal"} {
		if Internal(topic, ".") {
			t.Errorf("%s is internal", topic)
		}
	}
}

func TestEndpoint(t *testing.T) {
	us := load(t, "../topology.yaml").Clusters["us"]
	same(t, us.Endpoint("us-east"), us.Inside)
	same(t, us.Endpoint("eu"), us.Outside)
}

func TestPattern(t *testing.T) {
	if (Pattern{}).Match("") {
		t.Error("the zero Pattern matches")
	}
	for _, expr := range []string{"(", "a)|(?:b", "a{1001}", "\\"} {
		if _, err := NewPattern(expr); err == nil {
			t.Errorf("%s compiles", expr)
		}
	}
	p := mustPattern(t, "a|b")
	for name, want := range map[string]bool{"a": true, "b": true, "ab": false, "xb": false, "a\n": false} {
		if p.Match(name) != want {
			t.Errorf("%q: %t", name, !want)
		}
	}
}
