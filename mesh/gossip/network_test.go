package gossip

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/hashicorp/memberlist"
)

const patience = 20 * time.Second // of a test, on a machine that is busy

// onLoopback gives the nodes free ports on the real network.
func onLoopback(t *testing.T, hosts map[string]*host) {
	t.Helper()
	peers := map[string]Peer{}
	for name, h := range hosts {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		h.cfg.Bind, h.cfg.Advertise = l.Addr().String(), l.Addr().String()
		peers[name] = Peer{Datacenter: h.cfg.Datacenter, Address: l.Addr().String()}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, h := range hosts {
		h.peers = peers
	}
}

// waitFor waits for what a watched node comes to know.
func waitFor(t *testing.T, h *host, what string, is func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	watch, stop := h.Watch()
	defer stop()
	for !is() {
		select {
		case <-watch:
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("%s: not so in time", what)
		}
	}
}

func TestOnTheNetworkWithAKeyring(t *testing.T) {
	hosts := newHosts("us-1", "us-2", "eu-1", "eu-2")
	onLoopback(t, hosts)
	for name, h := range hosts {
		key := []byte("0123456789abcdef")
		if name == "eu-2" {
			key = []byte("another key, 16b")
		}
		ring, err := memberlist.NewKeyring(nil, key)
		if err != nil {
			t.Fatal(err)
		}
		h.cfg.Keyring = ring
		h.start(t, nil)
		t.Cleanup(func() { h.stop(t) })
	}
	one := hosts["us-1"]
	waitFor(t, one, "alive", func() bool { return one.state("us-2") == Alive && one.state("eu-1") == Alive })
	waitFor(t, one, "the one with another key is dead", func() bool { return one.state("eu-2") == Dead })
	hosts["us-2"].stop(t)
	began := time.Now()
	waitFor(t, one, "dead", func() bool { return one.state("us-2") == Dead })
	t.Logf("dead after %v", time.Since(began))
	hosts["us-2"].start(t, nil)
	waitFor(t, one, "alive again", func() bool { return one.state("us-2") == Alive })
}

func TestAPortThatIsTaken(t *testing.T) {
	hosts := newHosts("us-1")
	onLoopback(t, hosts)
	h := hosts["us-1"]
	h.start(t, nil)
	defer h.stop(t)
	if second, err := Start(h.cfg, h); err == nil {
		t.Error("a second node on the same port", second.Close())
	}
	h.cfg.Bind = "no-such-host.invalid:7946"
	if other, err := Start(h.cfg, h); err == nil {
		t.Error("an address that is none", other.Close())
	}
}
