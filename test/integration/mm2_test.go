package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/meshd/meshd/internal/kafkatest"
	"github.com/meshd/meshd/internal/kafkatest/logread"
)

// MirrorMaker 2 and meshd share two clusters. Each copies its own topics in both directions, and nothing of either is touched by the
// other, also where meshd's patterns match everything: what MirrorMaker 2 made is named, and left alone.
func TestBesideMirrorMaker(t *testing.T) {
	kafkatest.RealOnly(t, "MirrorMaker 2 wants brokers")
	us, eu := own(t, "us"), own(t, "eu")
	sites := []*site{us, eu}
	mm2 := startMirrorMaker(t, sites)
	m := newMesh(t, link("us, eu", "orders.*")+besides, sites...)
	const n, mirrored = 20_000, 5_000
	fill(t, sites, "mm.trades", mirrored)
	produceEverywhere(t, m, "orders", n)
	verifyEverywhere(t, m, "orders", n)
	awaitMirrored(t, sites, mirrored)

	for _, s := range sites {
		m.latest[s.names()[0]].stop(t)
	}
	m.links = link("us, eu", ".*") + besides
	m.write(t)
	for _, s := range sites {
		m.again(t, s.names()[0])
	}
	fill(t, sites, "orders", n)
	fill(t, sites, "mm.trades", mirrored)
	fill(t, sites, "late", mirrored)
	awaitMirrored(t, sites, 2*mirrored)
	for _, c := range []copyOf{{us, eu, "orders"}, {eu, us, "orders"}} {
		c.verify(t, 2*n)
	}
	for _, c := range []copyOf{{us, eu, "late"}, {eu, us, "late"}} {
		c.verify(t, mirrored)
	}
	for _, node := range []string{"us-1", "eu-1"} {
		for _, topic := range []string{"us.mm.trades", "eu.mm.trades"} {
			m.awaitReason(t, node, "unclaimed", topic)
		}
	}
	mm2.stop(t)
	onlyOwners(t, us, eu)
	onlyOwners(t, eu, us)
	t.Logf("%d records each way by meshd compared equal, beside %d by MirrorMaker 2", 2*n, 2*mirrored)
}

// notMirrored is what MirrorMaker 2 must be told to leave out where it copies everything: its own default, as the setting replaces that,
// meshd's topics, and the topics that meshd copies.
const notMirrored = "mm2.*[.]internal, .*[.]replica, __.*, meshd[.].*, orders, late"

// besides leaves the topics that both know to write to MirrorMaker 2.
const besides = "\n    mm2: {checkpoints: false, heartbeats: false}"

// fill produces to a topic of each site, which it makes where it is not there.
func fill(t *testing.T, sites []*site, topic string, n int) {
	t.Helper()
	for i, s := range sites {
		if len(layout(t, s, topic)) == 0 {
			s.CreateTopic(t, topic, 8)
		}
		s.Produce(t, topic, kafkatest.Workload{Seed: uint64(100 * i), Records: n, Partitions: 8})
	}
}

// startMirrorMaker starts MirrorMaker 2 in both directions, and ends it with the test.
func startMirrorMaker(t *testing.T, sites []*site) *node {
	t.Helper()
	var c strings.Builder
	fmt.Fprintf(&c, "clusters = us, eu\nus->eu.enabled = true\neu->us.enabled = true\ntopics = .*\ntopics.exclude = %s\ntasks.max = 2\n", notMirrored)
	for _, s := range sites {
		fmt.Fprintf(&c, "%s.bootstrap.servers = %s\n", s.alias, strings.Join(s.Bootstrap(), ","))
	}
	for _, kind := range []string{"", "checkpoints.topic.", "heartbeats.topic.", "offset-syncs.topic.", "offset.storage.", "status.storage.", "config.storage."} {
		fmt.Fprintf(&c, "%sreplication.factor = 1\n", kind)
	}
	for _, interval := range []string{"refresh.topics", "refresh.groups", "emit.checkpoints", "emit.heartbeats"} {
		fmt.Fprintf(&c, "%s.interval.seconds = 1\n", interval)
	}
	file := filepath.Join(t.TempDir(), "mm2.properties")
	if err := os.WriteFile(file, []byte(c.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	tool, err := filepath.Abs("../../scripts/kafka-tool.sh")
	if err != nil {
		t.Fatal(err)
	}
	return start(t, "MirrorMaker 2", []string{"MESHD_MIRROR_MAKER_HEAP=512m"}, tool, "mirror-maker", file)
}

func awaitMirrored(t *testing.T, sites []*site, n int) {
	t.Helper()
	startWatch(t, sites[1], "us.mm.trades").await(t, n)
	startWatch(t, sites[0], "eu.mm.trades").await(t, n)
}

// onlyOwners checks, by producer ids, that nobody wrote to what is another's, and that there is nothing else at a site.
func onlyOwners(t *testing.T, s, other *site) {
	t.Helper()
	topics, err := logread.Topics(t.Context(), s.Client(t))
	if err != nil {
		t.Fatal(err)
	}
	wrote := map[int64]string{} // a topic, by producer
	for _, topic := range topics {
		if ownerOf(topic, other.alias) == "" {
			t.Errorf("%s has a topic %s", s.alias, topic)
		}
		for _, r := range s.ReadAll(t, topic, logread.Uncommitted) {
			if before, ok := wrote[r.ProducerID]; ok && ownerOf(before, other.alias) != ownerOf(topic, other.alias) {
				t.Errorf("producer %d wrote to %s and to %s at %s", r.ProducerID, before, topic, s.alias)
			}
			wrote[r.ProducerID] = topic
		}
	}
	const none = -1 // Connect's producers are not idempotent
	if whose := ownerOf(wrote[none], other.alias); whose != "MirrorMaker 2" {
		t.Errorf("records without a producer id at %s are those of %q", s.alias, whose)
	}
}

// ownerOf says who writes to a topic.
func ownerOf(topic, other string) string {
	remote, isRemote := strings.CutPrefix(topic, other+".")
	switch {
	case strings.HasPrefix(topic, "meshd."), isRemote && (remote == "orders" || remote == "late"):
		return "meshd"
	case strings.HasPrefix(topic, "mm2-"), topic == "heartbeats", isRemote && slices.Contains([]string{"heartbeats", "checkpoints.internal", "mm.trades"}, remote):
		return "MirrorMaker 2"
	case topic == "orders", topic == "late", topic == "mm.trades":
		return "the test"
	}
	return ""
}
