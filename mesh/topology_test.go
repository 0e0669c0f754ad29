package mesh

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/meshd/meshd/raftstore"
	"github.com/meshd/meshd/topology"
)

// everywhere says whether all nodes that are up run a topology, and their raft has accepted it.
func (w *world) everywhere(stamp topology.Stamp) bool {
	for _, n := range w.nodes {
		if n.Node == nil {
			continue
		}
		if s := n.Topology(); s.Current.Stamp() != stamp || s.Accepted != stamp {
			return false
		}
	}
	return true
}

// An edit that one node is given reaches all, in both datacenters, and what it adds is run.
func TestAnEditReachesAll(t *testing.T) {
	bubble(t, two, func(t *testing.T, w *world) {
		w.start(t, two...)
		w.calm(t, "us")
		edit := parse(t, strings.Replace(yaml(2, "  - from: [ap]\n    to: [us]\n    topics: {include: [x]}\n", two...),
			"nodes:", "  ap: {datacenter: ap, bootstrap: [\"10.9.9.3:9092\"], read_only: true}\nnodes:", 1))
		if err := w.nodes["eu1"].Offer(edit, "the admin API"); err != nil {
			t.Fatal(err)
		}
		took := await(t, 20*time.Second, "everywhere", func() bool { return w.everywhere(edit.Stamp()) })
		t.Logf("everywhere after %v", took)
		w.topology = edit
		if parent := w.nodes["us1"].Topology().Current.Parent; parent != w.nodes["us1"].file.Hash() {
			t.Errorf("it was made from %q", parent)
		}
		await(t, 10*time.Second, "the new shards are written", func() bool { return w.served("us") && sum(w.writers("us")) == 2*topology.Shards })

		// A restart with the old file runs the new topology, and says so.
		w.nodes["us2"].kill(t)
		w.start(t, "us2")
		s := w.nodes["us2"].Topology()
		if s.Current.Stamp() != edit.Stamp() || len(s.Offers) != 1 || !strings.Contains(s.Offers[0].Why, "version 2 runs, this one is version 1") {
			t.Errorf("%s %+v", s.Current.Stamp(), s.Offers)
		}
	})
}

// A node that has only raft to tell it runs what its datacenter accepted.
func TestTheTopologyThatRaftAccepted(t *testing.T) {
	bubble(t, two, func(t *testing.T, w *world) {
		w.start(t, two...)
		edit := parse(t, yaml(2, "    cost: 7\n", two...))
		if err := w.nodes["us1"].Offer(edit, "the file"); err != nil {
			t.Fatal(err)
		}
		await(t, 20*time.Second, "everywhere", func() bool { return w.everywhere(edit.Stamp()) })
		for _, name := range two {
			w.nodes[name].kill(t)
		}
		if err := os.Remove(filepath.Join(w.nodes["us2"].dir, topologyFile)); err != nil {
			t.Fatal(err)
		}
		w.start(t, "us2") // with the first file, and alone
		await(t, time.Second, "the accepted one runs", func() bool { return w.nodes["us2"].Topology().Current.Stamp() == edit.Stamp() })
	})
}

// Two edits from one parent, on both sides of a cut: the same one wins everywhere, and the other is an alarm where it was made.
func TestAForkHasOneWinner(t *testing.T) {
	bubble(t, two, func(t *testing.T, w *world) {
		w.start(t, two...)
		w.calm(t, "us")
		w.network.Cut(func(from, to string) bool {
			return strings.HasPrefix(from, "10.0.0.3:") != strings.HasPrefix(to, "10.0.0.3:")
		})
		here, there := parse(t, yaml(2, "    paused: true\n", two...)), parse(t, yaml(2, "    cost: 7\n", two...))
		for name, edit := range map[string]*topology.Topology{"us1": here, "eu1": there} {
			if err := w.nodes[name].Offer(edit, "the file"); err != nil {
				t.Fatal(err)
			}
		}
		await(t, 20*time.Second, "each side has its own", func() bool { return w.nodes["us2"].Topology().Accepted == here.Stamp() })
		w.network.Heal()
		winner, loser, lostAt := here, there, "eu1"
		if topology.Newer(there, here) {
			winner, loser, lostAt = there, here, "us1"
		}
		await(t, time.Minute, "one wins", func() bool { return w.everywhere(winner.Stamp()) })
		offers := w.nodes[lostAt].Topology().Offers
		if len(offers) != 1 || offers[0].Stamp != loser.Stamp() || !strings.Contains(offers[0].Why, "this edit is lost") {
			t.Errorf("%+v", offers)
		}
	})
}

// A third node is added to a datacenter of two, and takes its part; then it is removed.
func TestANodeIsAddedAndRemoved(t *testing.T) {
	bubble(t, three, func(t *testing.T, w *world) {
		without := parse(t, strings.Replace(yaml(1, "", three...), "  us3:", "  eu9:", 1))
		without = parse(t, strings.Replace(string(without.Source()), "eu9: {datacenter: us", "eu9: {datacenter: eu", 1))
		with := parse(t, yaml(2, "", three...))
		for _, name := range []string{"us1", "us2"} {
			w.nodes[name].file = without
			w.start(t, name)
		}
		await(t, 20*time.Second, "two write", func() bool { return w.served("us") && len(w.writers("us")) == 2 })
		w.nodes["us3"].file = with
		w.start(t, "us3")
		time.Sleep(5 * time.Second)
		if n := w.writers("us")["us3"]; n > 0 || w.nodes["us1"].Topology().Current.Version != 1 {
			t.Errorf("a node that is not listed writes %d shards, and is listened to", n)
		}
		if err := w.nodes["us1"].Offer(with, "the file"); err != nil {
			t.Fatal(err)
		}
		w.calm(t, "us")
		if voters, err := w.nodes["us1"].store.Voters(); err != nil || len(voters) != 3 {
			t.Errorf("%v %v", voters, err)
		}
		removed := parse(t, strings.Replace(string(without.Source()), "version: 1", "version: 3", 1))
		if err := w.nodes["us1"].Offer(removed, "the file"); err != nil {
			t.Fatal(err)
		}
		await(t, time.Minute, "two write again", func() bool { return w.served("us") && w.writers("us")["us3"] == 0 })
		await(t, time.Minute, "two vote", func() bool {
			voters, err := w.nodes["us1"].store.Voters()
			return err == nil && len(voters) == 2
		})
	})
}

// A node that is listed before it runs costs a single one its quorum only when it is there.
func TestAnAbsentNodeIsNoVoter(t *testing.T) {
	bubble(t, two, func(t *testing.T, w *world) {
		w.nodes["us1"].file = parse(t, yaml(1, "", "us1", "eu9"))
		w.start(t, "us1")
		await(t, 20*time.Second, "it writes", func() bool { return w.served("us") })
		if err := w.nodes["us1"].Offer(parse(t, yaml(2, "", two...)), "the file"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Second)
		if w.leader("us") != "us1" || !w.served("us") {
			t.Error("it has lost its quorum to a node that is not there")
		}
		w.nodes["us2"].file = w.nodes["us1"].Topology().Current
		w.start(t, "us2")
		w.calm(t, "us")
		if voters, err := w.nodes[w.leader("us")].store.Voters(); err != nil || len(voters) != 2 {
			t.Errorf("%v %v", voters, err)
		}
	})
}

func testKeeper(t *testing.T, dir string, file *topology.Topology) *keeper {
	t.Helper()
	d, err := raftstore.OpenDir(dir, raftstore.Identity{Mesh: "m"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	k, err := openKeeper(d, file, slog.New(slog.DiscardHandler), func() {})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestKeeperOffers(t *testing.T) {
	nodes := []string{"us1", "eu1"}
	runs := parse(t, yaml(5, "", nodes...))
	other := strings.Replace(yaml(6, "", nodes...), "mesh: m", "mesh: n", 1)
	tests := []struct {
		name    string
		offered *topology.Topology
		says    []string // nil: taken
	}{
		{"the same", runs, nil},
		{"newer", parse(t, yaml(6, "", nodes...)), nil},
		{"older", parse(t, yaml(4, "", nodes...)), []string{"version 5 runs", "version 4"}},
		{"the same version with other content", parse(t, yaml(5, "    cost: 3\n", nodes...)), []string{"version 5 runs with hash " + runs.Hash(), "and hash "}},
		{"another mesh", parse(t, other), []string{"mesh n", "this is m"}},
		{"two namings of a topic", parse(t, twoNamings(6, nodes...)), []string{"naming prefix", "and identity"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := testKeeper(t, t.TempDir(), runs)
			err := k.offer(tt.offered, "the file")
			if (err == nil) != (tt.says == nil) {
				t.Fatal(err)
			}
			for _, word := range tt.says {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%q does not say %q", err, word)
				}
			}
			want := runs
			if tt.says == nil {
				want = tt.offered
			}
			if got := k.get().topology.Stamp(); got != want.Stamp() {
				t.Errorf("%s runs", got)
			}
			if n := len(k.reported()); (n > 0) != (tt.says != nil) {
				t.Errorf("%d offers", n)
			}
		})
	}
}

// twoNamings is a topology that can be read, and is refused for what it makes of topics.
func twoNamings(version int, nodes ...string) string {
	text := yaml(version, "  - {from: [ap], to: [us], naming: identity}\n", nodes...)
	return strings.Replace(text, "nodes:", "  ap: {datacenter: ap, bootstrap: [\"10.9.9.3:9092\"], read_only: true}\nnodes:", 1)
}

// What this release would not carry out is not taken up, be it that another node runs it or that it was left on the disk.
func TestKeeperRefusesWhatOthersTook(t *testing.T) {
	nodes := []string{"us1", "eu1"}
	runs, refused := parse(t, yaml(5, "", nodes...)), parse(t, twoNamings(6, nodes...))
	dir := t.TempDir()
	k := testKeeper(t, dir, runs)
	k.hear("us2", refused.Encode())
	if offers := k.reported(); len(offers) != 1 || !strings.Contains(offers[0].Why, "naming prefix") || k.get().topology.Version != 5 {
		t.Errorf("%s runs; %+v", k.get().topology.Stamp(), offers)
	}
	if err := k.dir.WriteFile(topologyFile, refused.Encode()); err != nil {
		t.Fatal(err)
	}
	if err := k.dir.Close(); err != nil {
		t.Fatal(err)
	}
	k = testKeeper(t, dir, runs)
	if offers := k.reported(); len(offers) != 1 || !strings.Contains(offers[0].Why, "naming prefix") || k.get().topology.Version != 5 {
		t.Errorf("%s runs; %+v", k.get().topology.Stamp(), offers)
	}
}

func TestKeeperHears(t *testing.T) {
	nodes := []string{"us1", "eu1"}
	k := testKeeper(t, t.TempDir(), parse(t, yaml(5, "", nodes...)))
	for range 3 { // push/pulls repeat
		k.hear("us2", []byte("meshd-topology 1 -\nversion: soon"))
		k.hear("us2", parse(t, yaml(4, "", nodes...)).Encode())
		k.hear("us2", parse(t, strings.Replace(yaml(9, "", nodes...), "mesh: m", "mesh: n", 1)).Encode())
	}
	if offers := k.reported(); len(offers) != 2 || k.get().topology.Version != 5 {
		t.Errorf("%s runs; %+v", k.get().topology.Stamp(), offers)
	}
	for version := 6; version < 30; version++ {
		k.hear("us2", parse(t, yaml(version, "", nodes...)).Encode())
		k.hear("us3", []byte(strings.Repeat("x", version)))
	}
	if k.get().topology.Version != 29 || len(k.reported()) > maxOffers || len(k.known) > maxOffers {
		t.Errorf("%s runs; %d offers, %d known", k.get().topology.Stamp(), len(k.reported()), len(k.known))
	}
}

// What a newer release wrote can't be read by this one, which then goes on with its file.
func TestKeeperReadsItsDisk(t *testing.T) {
	nodes := []string{"us1", "eu1"}
	dir := t.TempDir()
	file := parse(t, yaml(5, "", nodes...))
	k := testKeeper(t, dir, file)
	k.hear("us2", parse(t, yaml(7, "", nodes...)).Encode())
	if err := k.dir.Close(); err != nil {
		t.Fatal(err)
	}
	if k = testKeeper(t, dir, file); k.get().topology.Version != 7 {
		t.Errorf("%s runs", k.get().topology.Stamp())
	}
	if err := k.dir.WriteFile(topologyFile, []byte("meshd-topology 2 x\n")); err != nil {
		t.Fatal(err)
	}
	if err := k.dir.Close(); err != nil {
		t.Fatal(err)
	}
	if k = testKeeper(t, dir, file); k.get().topology.Version != 5 || len(k.reported()) != 1 {
		t.Errorf("%s runs; %+v", k.get().topology.Stamp(), k.reported())
	}
}
