package integration

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/internal/kafkatest"
)

// Either of two nodes of a datacenter is killed under load, and comes back.
func TestNodeOfTwoKilled(t *testing.T) {
	parallel(t)
	sites := several(t, 2)
	eu := sites[1]
	k := newKilling(t, sites)
	for _, victim := range eu.names() {
		k.kill(t, victim)
		k.revive(t, victim)
	}
	k.end(t)
}

// Of three nodes the raft leader is killed, and then its successor: the last one has no quorum, and carries on alone.
func TestLeadersOfThreeKilled(t *testing.T) {
	parallel(t)
	sites := several(t, 3)
	k := newKilling(t, sites)
	first := k.mesh.awaitLeader(t, sites[1], "")
	k.kill(t, first)
	second := k.mesh.awaitLeader(t, sites[1], first)
	k.kill(t, second)
	k.revive(t, first, second)
	k.end(t)
}

// several are us and eu with so many nodes in each datacenter.
func several(t *testing.T, nodes int) []*site {
	t.Helper()
	sites := shared(t, "us", "eu")
	for _, s := range sites {
		s.nodes = nodes
	}
	return sites
}

// killing is a topic under load in both directions, while nodes of eu are killed.
type killing struct {
	mesh    *mesh
	topic   string
	us, eu  *site
	loads   map[*site]*load
	arrived *watch
	down    []string
}

// newKilling returns when the nodes of eu share the work.
func newKilling(t *testing.T, sites []*site) *killing {
	t.Helper()
	k := &killing{topic: kafkatest.UniqueTopic(t, "orders"), us: sites[0], eu: sites[1], loads: map[*site]*load{}}
	for i, s := range sites {
		w := heavy()
		w.Seed = uint64(i)
		s.CreateTopic(t, k.topic, 8)
		k.loads[s] = startLoad(t, s, k.topic, w, 1_000)
	}
	k.mesh = newMesh(t, link("us, eu", k.topic), sites...)
	k.mesh.startAll(t)
	k.arrived = startWatch(t, k.eu, k.copy().remote())
	k.mesh.awaitBalance(t, k.eu, k.topic)
	return k
}

// heavy is records beside which the idle shards don't count in the balance.
func heavy() kafkatest.Workload {
	return kafkatest.Workload{Partitions: 8, Size: 1_000, Codec: kgo.NoCompression()}
}

func (k *killing) copy() copyOf { return copyOf{k.us, k.eu, k.topic} }

// kill kills a node that holds shards, and waits until the others hold them.
func (k *killing) kill(t *testing.T, victim string) {
	t.Helper()
	held := k.mesh.held(t, victim, k.topic)
	if held == 0 {
		t.Fatalf("%s holds nothing of %s", victim, k.topic)
	}
	k.arrived.awaitEach(t, 1) // it keeps up, so that what it sees as a standstill is one
	k.arrived.longestStill()
	k.mesh.latest[victim].Kill()
	k.down = append(k.down, victim)
	k.mesh.awaitHeld(t, k.eu, k.topic, k.down)
	k.arrived.awaitEach(t, 200)
	t.Logf("kill -9 of %s, which held %d of 8 partitions: one stood still for %s", victim, held, k.arrived.longestStill())
}

// revive starts nodes again and waits until they have their part of the work.
func (k *killing) revive(t *testing.T, names ...string) {
	t.Helper()
	k.arrived.longestStill()
	for _, name := range names {
		k.mesh.again(t, name)
	}
	k.down = nil
	k.mesh.awaitBalance(t, k.eu, k.topic)
	k.arrived.awaitEach(t, 200)
	t.Logf("%s again: a partition stood still for %s", strings.Join(names, " and "), k.arrived.longestStill())
}

func (k *killing) end(t *testing.T) {
	t.Helper()
	there, back := k.loads[k.us].stop(t), k.loads[k.eu].stop(t)
	k.copy().verify(t, there)
	copyOf{k.eu, k.us, k.topic}.verify(t, back)
	noLoops(t, k.mesh.sites)
	t.Logf("%d records to eu and %d to us compared equal", there, back)
}

// nodeStatus is a node as `meshd nodes` tells it.
type nodeStatus struct {
	Name, Datacenter string
	Alive, Leader    bool
	Shards           int
}

// nodes asks the nodes of a datacenter, one after another, who there is; none where nobody answers.
func (m *mesh) nodes(t testing.TB, s *site, but ...string) []nodeStatus {
	t.Helper()
	var addresses []string
	for _, name := range s.names() {
		if !slices.Contains(but, name) {
			addresses = append(addresses, m.admin[name])
		}
	}
	code, stdout, _ := command(t, "nodes", "-o", "json", "--admin", strings.Join(addresses, ","))
	if code != 0 {
		return nil
	}
	var answer struct{ Nodes []nodeStatus }
	if err := json.Unmarshal([]byte(stdout), &answer); err != nil {
		t.Fatalf("meshd nodes: %v\n%s", err, stdout)
	}
	return slices.DeleteFunc(answer.Nodes, func(n nodeStatus) bool { return n.Datacenter != s.alias })
}

// awaitLeader waits for a living leader that is another than before.
func (m *mesh) awaitLeader(t testing.TB, s *site, before string) (leader string) {
	t.Helper()
	await(t, "a leader of "+s.alias, func() (string, bool) {
		nodes := m.nodes(t, s, before)
		i := slices.IndexFunc(nodes, func(n nodeStatus) bool { return n.Leader && n.Alive && n.Name != before })
		if i >= 0 {
			leader = nodes[i].Name
		}
		return fmt.Sprintf("%+v", nodes), i >= 0
	})
	return leader
}

// awaitShared waits until all nodes of a datacenter live, and hold all shards of its one link among them.
func (m *mesh) awaitShared(t testing.TB, s *site) {
	t.Helper()
	await(t, "the nodes of "+s.alias+" to hold all shards", func() (string, bool) {
		nodes, shards := m.nodes(t, s), 0
		for _, n := range nodes {
			shards += n.Shards
		}
		idle := slices.ContainsFunc(nodes, func(n nodeStatus) bool { return !n.Alive || n.Shards == 0 })
		return fmt.Sprintf("%+v", nodes), len(nodes) == len(s.names()) && !idle && shards == 32
	})
}

// awaitBalance waits until each node has its part of the topic's partitions too: half of an even share at least, for it is bytes that
// are balanced, and to within a quarter.
func (m *mesh) awaitBalance(t testing.TB, s *site, topic string) {
	t.Helper()
	await(t, "the nodes of "+s.alias+" to share the work", func() (string, bool) {
		var held []int
		for _, name := range s.names() {
			held = append(held, m.held(t, name, topic))
		}
		return fmt.Sprintf("they hold %d partitions", held), slices.Min(held) >= 8/len(held)/2 && sum(held) == 8
	})
	m.awaitShared(t, s)
}

// awaitHeld waits until the nodes that are not down hold all partitions of a topic among them.
func (m *mesh) awaitHeld(t testing.TB, s *site, topic string, down []string) {
	t.Helper()
	await(t, "the others to take over from "+strings.Join(down, " and "), func() (string, bool) {
		all := 0
		for _, name := range s.names() {
			if !slices.Contains(down, name) {
				all += m.held(t, name, topic)
			}
		}
		return fmt.Sprintf("%d partitions of 8, %+v", all, m.nodes(t, s, down...)), all == 8
	})
}

func sum(ns []int) (total int) {
	for _, n := range ns {
		total += n
	}
	return total
}
