package gossip

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/meshd/meshd/mesh/gossip/lossy"
	"github.com/meshd/meshd/topology"
)

// bubble runs a test on started nodes in virtual time.
func bubble(t *testing.T, names []string, test func(t *testing.T, w *lossy.Network, hosts map[string]*host)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w, hosts := lossy.New(), newHosts(names...)
		for _, name := range names {
			hosts[name].start(t, w)
		}
		started := maps.Clone(hosts)
		defer time.Sleep(time.Minute) // memberlist's last probes and timers end by themselves
		defer func() {
			for _, h := range started {
				h.stop(t)
			}
		}()
		test(t, w, hosts)
	})
}

// await lets virtual time go on until something is so, and returns how long that took.
func await(t *testing.T, limit time.Duration, what string, is func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	for !is() {
		if time.Since(began) > limit {
			t.Fatalf("%s: not so after %v", what, limit)
		}
		time.Sleep(10 * time.Millisecond)
	}
	return time.Since(began)
}

func all(hosts map[string]*host, is func(a, b *host) bool) func() bool {
	return func() bool {
		for _, a := range hosts {
			for _, b := range hosts {
				if a != b && a.Gossip != nil && !is(a, b) {
					return false
				}
			}
		}
		return true
	}
}

func knows(state State) func(a, b *host) bool {
	return func(a, b *host) bool { return a.state(b.cfg.Node) == state }
}

var mesh = []string{"us-1", "us-2", "us-3", "eu-1", "eu-2"}

func TestDeadNodesAreKnownSoon(t *testing.T) {
	for lost := range 3 { // packets in ten
		t.Run(fmt.Sprint(lost*10, " % lost"), func(t *testing.T) {
			bubble(t, mesh, func(t *testing.T, w *lossy.Network, hosts map[string]*host) {
				w.Lose(float64(lost) / 10)
				await(t, 20*time.Second, "all alive", all(hosts, knows(Alive)))
				dead := hosts["us-3"]
				dead.stop(t)
				delete(hosts, "us-3")
				for _, name := range []string{"us-1", "us-2"} {
					took := await(t, 10*time.Second, "dead", func() bool { return hosts[name].state("us-3") == Dead })
					if t.Logf("%s knew it after %v", name, took); took > 1500*time.Millisecond && lost == 0 {
						t.Errorf("%s knew it after %v", name, took)
					}
				}
				dead.start(t, w)
				hosts["us-3"] = dead
				await(t, 20*time.Second, "alive again", all(hosts, knows(Alive)))
			})
		})
	}
}

// A network that loses one packet in ten makes nobody dead.
func TestLossKillsNobody(t *testing.T) {
	bubble(t, mesh, func(t *testing.T, w *lossy.Network, hosts map[string]*host) {
		await(t, 20*time.Second, "all alive", all(hosts, knows(Alive)))
		w.Lose(0.1)
		for range 600 {
			time.Sleep(100 * time.Millisecond)
			for _, name := range []string{"us-2", "us-3"} {
				if hosts["us-1"].state(name) != Alive {
					t.Fatalf("%s is dead", name)
				}
			}
		}
	})
}

// Two nodes a datacenter are the common case: the survivor alone has to find out.
func TestOneOfTwoDies(t *testing.T) {
	bubble(t, []string{"us-1", "us-2"}, func(t *testing.T, _ *lossy.Network, hosts map[string]*host) {
		await(t, 5*time.Second, "all alive", all(hosts, knows(Alive)))
		hosts["us-2"].stop(t)
		if took := await(t, 5*time.Second, "dead", func() bool { return hosts["us-1"].state("us-2") == Dead }); took > 1500*time.Millisecond {
			t.Errorf("known after %v", took)
		}
	})
}

// A restart within a second goes unnoticed.
func TestShortRestartIsNoDeath(t *testing.T) {
	bubble(t, []string{"us-1", "us-2"}, func(t *testing.T, w *lossy.Network, hosts map[string]*host) {
		await(t, 5*time.Second, "all alive", all(hosts, knows(Alive)))
		time.Sleep(time.Minute) // in the WAN's pool too
		watch, stop := hosts["us-1"].Watch()
		defer stop()
		hosts["us-2"].stop(t)
		time.Sleep(500 * time.Millisecond)
		hosts["us-2"].start(t, w)
		time.Sleep(5 * time.Second)
		select {
		case <-watch:
			t.Error("something was said of it")
		default:
		}
		if hosts["us-1"].state("us-2") != Alive {
			t.Error("it is not alive")
		}
	})
}

func TestLeavingIsKnownAtOnce(t *testing.T) {
	bubble(t, []string{"us-1", "us-2"}, func(t *testing.T, _ *lossy.Network, hosts map[string]*host) {
		await(t, 5*time.Second, "all alive", all(hosts, knows(Alive)))
		hosts["us-2"].change(func(h *host) { h.meta.Leaving = true })
		took := await(t, time.Second, "leaving", func() bool { return hosts["us-1"].Members()[0].Meta.Leaving })
		hosts["us-2"].Leave()
		took += await(t, time.Second, "gone", func() bool { return hosts["us-1"].state("us-2") == Dead })
		t.Logf("leaving and gone after %v", took)
	})
}

// A node that was dead before this one started is dead too, though nobody says so.
func TestNeverHeardOfIsDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hosts := newHosts("us-1", "us-2")
		one := hosts["us-1"]
		one.start(t, lossy.New())
		if state := one.state("us-2"); state != Unknown {
			t.Errorf("at first it is %s", state)
		}
		if took := await(t, 5*time.Second, "dead", func() bool { return one.state("us-2") == Dead }); took > unheard+100*time.Millisecond {
			t.Errorf("dead after %v", took)
		}
		one.stop(t)
		time.Sleep(time.Minute)
	})
}

// Without the WAN everything at home is as it was.
func TestLossOfTheWANLeavesTheLANAlone(t *testing.T) {
	bubble(t, mesh, func(t *testing.T, w *lossy.Network, hosts map[string]*host) {
		await(t, 20*time.Second, "all alive", all(hosts, knows(Alive)))
		home := func(address string) bool { return address < "10.0.0.4" }
		w.Cut(func(from, to string) bool { return home(from) != home(to) })
		await(t, time.Minute, "the far ones are dead", all(hosts, func(a, b *host) bool {
			return a.cfg.Datacenter == b.cfg.Datacenter || knows(Dead)(a, b)
		}))
		var states []State
		for range 100 {
			states = append(states, hosts["us-1"].state("us-2"), hosts["us-2"].state("us-3"), hosts["eu-1"].state("eu-2"))
			time.Sleep(100 * time.Millisecond)
		}
		for _, s := range states {
			if s != Alive {
				t.Fatalf("a near one was %s", s)
			}
		}
		hosts["us-3"].stop(t)
		const wait = 2 * time.Second // for a holder that stands still, which this is to shorten
		if took := await(t, 5*time.Second, "dead", func() bool { return hosts["us-1"].state("us-3") == Dead }); took >= wait {
			t.Errorf("a dead near one was known after %v", took)
		}
		hosts["us-3"].start(t, w)
		w.Heal()
		await(t, time.Minute, "all alive again", all(hosts, knows(Alive)))
	})
}

// A higher topology reaches all, over the WAN too, and is asked for at once.
func TestTopologySpreads(t *testing.T) {
	bubble(t, mesh, func(t *testing.T, _ *lossy.Network, hosts map[string]*host) {
		await(t, 20*time.Second, "all alive", all(hosts, knows(Alive)))
		time.Sleep(20 * time.Second) // periodic push/pulls are now far between
		hosts["us-1"].change(func(h *host) { h.meta.Topology.Version, h.doc = 7, []byte("7") })
		took := await(t, 10*time.Second, "everywhere", all(hosts, func(a, _ *host) bool { return a.Meta().Topology.Version == 7 }))
		t.Logf("everywhere after %v", took)
		if took > 3*time.Second {
			t.Errorf("everywhere after %v", took)
		}
	})
}

func TestLoadIsTold(t *testing.T) {
	shard := topology.Shard{Origin: "a", Destination: "b", Number: 5}
	bubble(t, []string{"us-1", "us-2", "eu-1"}, func(t *testing.T, _ *lossy.Network, hosts map[string]*host) {
		await(t, 20*time.Second, "all alive", all(hosts, knows(Alive)))
		hosts["us-1"].load = map[topology.Shard]float64{shard: 1e6}
		await(t, 5*time.Second, "told", func() bool { return hosts["us-2"].Loads()[shard] == 1e6 })
		hosts["us-1"].stop(t)
		await(t, 20*time.Second, "forgotten", func() bool { return len(hosts["us-2"].Loads()) == 0 })
		if len(hosts["eu-1"].Loads()) > 0 {
			t.Error("it went over the WAN")
		}
	})
}

// Who is of another mesh, of another datacenter by its own topology, or not listed, is not heard, and is counted.
func TestStrangersAreRefused(t *testing.T) {
	strangers := map[string]func(h *host){
		"mesh":       func(h *host) { h.cfg.Mesh = "other" },
		"datacenter": func(h *host) { h.cfg.Datacenter, h.meta.Datacenter = "eu", "eu" },
		"unlisted":   func(h *host) { h.cfg.Node = "us-9" },
	}
	for name, change := range strangers {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, hosts := lossy.New(), newHosts("us-1", "us-2")
				one, stranger := hosts["us-1"], hosts["us-2"]
				change(stranger)
				stranger.doc = []byte("9")
				if name == "datacenter" {
					stranger.peers = map[string]Peer{"us-1": {"eu", "10.0.0.1:7946"}, "us-2": {"eu", "10.0.0.2:7946"}}
				}
				if name == "unlisted" {
					stranger.peers = map[string]Peer{"us-1": stranger.peers["us-1"], "us-9": stranger.peers["us-2"]}
				}
				one.start(t, w)
				stranger.start(t, w)
				time.Sleep(10 * time.Second)
				if one.state("us-2") == Alive {
					t.Error("it is a member")
				}
				if name != "datacenter" && len(one.heard) > 0 { // over the WAN pool a listed node may be wrong about itself and yet be heard
					t.Errorf("it was heard: %q", one.heard)
				}
				if one.refusedFor(t, "") == 0 {
					t.Error("not counted")
				}
				one.stop(t)
				stranger.stop(t)
				time.Sleep(time.Minute)
			})
		})
	}
}

// Packets are refused by their label, each for its reason.
func TestForeignPacketsAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, h := lossy.New(), newHosts("us-1")["us-1"]
		h.start(t, w)
		defer time.Sleep(time.Minute)
		defer h.stop(t)
		from := w.Attach("10.0.0.9:7946")
		for label, reason := range map[string]string{
			"": "unlabelled", "consul": "unlabelled", "meshd/other/wan": "mesh", "meshd/m2/wan": "mesh", "meshd/m/lan/eu": "datacenter",
		} {
			before := h.refusedFor(t, reason)
			packet, err := memberlist.AddLabelHeaderToPacket([]byte("\x00whatever"), label)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := from.WriteTo(packet, h.cfg.Advertise); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			if after := h.refusedFor(t, reason); after != before+1 {
				t.Errorf("label %q: %.0f refused for %s, before %.0f", label, after, reason, before)
			}
		}
	})
}

func TestRefusalsAreSaidOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHosts("us-1")["us-1"]
		h.start(t, lossy.New())
		said := 0
		for range 20 {
			if h.refused.due("mesh x") {
				said++
			}
			time.Sleep(10 * time.Second)
		}
		if said != 4 {
			t.Errorf("said %d times in 200 s", said)
		}
		for i := range 2 * maxSaid {
			h.refused.due(strings.Repeat("x", i))
		}
		if n := len(h.refused.said); n > maxSaid {
			t.Errorf("%d kinds are remembered", n)
		}
		h.stop(t)
		time.Sleep(time.Minute)
	})
}
