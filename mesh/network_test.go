package mesh

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meshd/meshd/mesh/gossip"
	"github.com/meshd/meshd/raftstore"
	"github.com/meshd/meshd/topology"
)

const slow = 30 * time.Second // of a test, on a machine that is busy

// ports returns n free addresses on loopback.
func ports(t *testing.T, n int) (addresses []string) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		addresses = append(addresses, l.Addr().String())
	}
	return addresses
}

// secure writes a self-signed certificate for loopback and a keyring, and returns the directory and what names them.
func secure(t *testing.T) (dir, security string) {
	t.Helper()
	dir = t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "node"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"node.pem":     pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}),
		"node.key":     pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
		"keyring.json": []byte(`["MDEyMzQ1Njc4OWFiY2RlZg=="]`), "tokens.yaml": nil,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, "security:\n  tls: {ca: node.pem, cert: node.pem, key: node.key}\n  gossip_keyring: keyring.json\n  admin: {tokens_file: tokens.yaml}\n"
}

// onLoopback is a world on the real network, with TLS and encrypted gossip.
func onLoopback(t *testing.T, names ...string) (*world, string) {
	t.Helper()
	secrets, security := secure(t)
	w := &world{kafka: map[string]*registry{"us": newRegistry(), "eu": newRegistry()}, nodes: map[string]*testNode{}}
	source := strings.Replace(yaml(1, ""), "insecure: true\n", security, 1)
	var listed strings.Builder
	for i, name := range names {
		at := ports(t, 3)
		fmt.Fprintf(&listed, "  %s: {datacenter: %s, gossip: \"%s\", raft: \"%s\", admin: \"127.0.0.1:%d\"}\n", name, name[:2], at[0], at[1], 8000+i)
	}
	w.topology = parse(t, strings.Replace(source, "nodes:\n", "nodes:\n"+listed.String(), 1))
	for _, name := range names {
		w.nodes[name] = &testNode{w: w, name: name, dir: t.TempDir(), file: w.topology}
	}
	return w, secrets
}

func (n *testNode) startReal(t *testing.T, secrets string) {
	t.Helper()
	n.runner = newRunner(n.name, n.w.kafka[n.name[:2]])
	var err error
	n.Node, err = Start(Config{
		Node: n.name, DataDir: n.dir, SecretsDir: secrets, Topology: n.file, Runner: n.runner, Liveness: n.runner,
		Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.killReal(t) })
}

func (n *testNode) killReal(t *testing.T) {
	t.Helper()
	if n.Node != nil {
		n.runner.kill()
		n.shut(t)
	}
}

// waitFor waits in real time for what nothing signals.
func waitFor(t *testing.T, what string, is func() bool) time.Duration {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), slow)
	defer cancel()
	began := time.Now()
	for !is() {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("%s: not so in time", what)
		}
	}
	return time.Since(began)
}

func TestOnTheNetwork(t *testing.T) {
	for _, names := range [][]string{{"us1", "us2", "eu1"}, {"us1", "us2", "us3", "eu1"}} {
		t.Run(fmt.Sprint(len(names)-1, " at home"), func(t *testing.T) {
			w, secrets := onLoopback(t, names...)
			for _, name := range names {
				w.nodes[name].startReal(t, secrets)
			}
			t.Logf("first served after %v", waitFor(t, "served", func() bool { return w.servedLately("us") && w.servedLately("eu") }))
			waitFor(t, "shared", func() bool { return len(w.writers("us")) == len(names)-1 && w.leader("us") != "" })
			waitFor(t, "the WAN", func() bool { return w.nodes["us1"].sees("eu1") == gossip.Alive })

			died := time.Now()
			w.nodes["us2"].killReal(t)
			waitFor(t, "taken over", func() bool {
				return w.servedLately("us") && w.writers("us")["us2"] == 0 && time.Since(died) > time.Second
			})
			t.Logf("killed: records stood still for %v", w.kafka["us"].stall(died, time.Now()))
			w.nodes["us2"].startReal(t, secrets)
			waitFor(t, "its part again", func() bool { return w.servedLately("us") && w.writers("us")["us2"] > 0 })

			edit := parse(t, strings.Replace(string(w.topology.Source()), "version: 1", "version: 2", 1))
			if err := w.nodes["us1"].Offer(edit, "the file"); err != nil {
				t.Fatal(err)
			}
			t.Logf("an edit is everywhere after %v", waitFor(t, "everywhere", func() bool { return w.everywhere(edit.Stamp()) }))
		})
	}
}

// servedLately is served with more time for each write: real time may be short.
func (w *world) servedLately(datacenter string) bool {
	return len(w.kafka[datacenter].writers(time.Now().Add(-time.Second))) == topology.Shards
}

func TestStartSaysWhatIsWrong(t *testing.T) {
	w, secrets := onLoopback(t, "us1", "eu1")
	one := w.nodes["us1"]
	one.startReal(t, secrets)
	open := func(change func(c *Config)) error {
		r := newRunner("us1", w.kafka["us"])
		defer r.kill()
		c := Config{
			Node: "us1", DataDir: t.TempDir(), SecretsDir: secrets, Topology: w.topology, Runner: r, Liveness: r,
			Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(),
		}
		change(&c)
		n, err := Start(c)
		if err == nil {
			t.Error("it starts", n.Close())
		}
		return err
	}
	tests := []struct {
		name   string
		change func(c *Config)
		says   []string
	}{
		{"an unknown node", func(c *Config) { c.Node = "us9" }, []string{"does not list a node us9"}},
		{"a data directory in use", func(c *Config) { c.DataDir = one.dir }, []string{one.dir, "in use by another node", "us1"}},
		{"a data directory of another node", func(c *Config) {
			c.DataDir = w.nodes["eu1"].dir
			d, err := raftstore.OpenDir(c.DataDir, raftstore.Identity{Mesh: "m", Datacenter: "eu", Node: "eu1"})
			if err == nil {
				err = d.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
		}, []string{"belongs to node eu1"}},
		{"a port that is taken", func(*Config) {}, []string{"listening for raft", "address already in use"}},
		{"secrets that are not there", func(c *Config) { c.SecretsDir = t.TempDir() }, []string{"reading the node's certificate", "no such file"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := open(tt.change)
			for _, word := range tt.says {
				if err == nil || !strings.Contains(err.Error(), word) {
					t.Errorf("%v does not say %q", err, word)
				}
			}
		})
	}
}

func TestBind(t *testing.T) {
	tests := []struct{ flag, listed, address, want string }{
		{"", "", "10.1.0.1:7946", "10.1.0.1:7946"},
		{"", "0.0.0.0", "meshd-0.us.example.com:7946", "0.0.0.0:7946"},
		{"10.2.0.1", "0.0.0.0", "meshd-0.us.example.com:7946", "10.2.0.1:7946"},
		{"::", "", "[fd00::1]:7946", "[::]:7946"},
	}
	for _, tt := range tests {
		n := &Node{cfg: Config{Bind: tt.flag}, self: topology.Node{Bind: tt.listed}}
		if got := n.bind(tt.address); got != tt.want {
			t.Errorf("%+v: %s", tt, got)
		}
	}
}
