package raftstore

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/meshd/meshd/raftstore/state"
	"github.com/meshd/meshd/topology"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		fmt.Fprintln(os.Stderr, propositions(dir))
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

const patience = 20 * time.Second // of a test, on a machine that is busy

// peer is a node of a test, which can be stopped and started again on its directory and address.
type peer struct {
	*Store
	cfg Config
	dir string
	id  Identity
}

func (p *peer) start(t *testing.T) {
	t.Helper()
	dir, err := OpenDir(p.dir, p.id)
	if err != nil {
		t.Fatal(err)
	}
	p.cfg.Dir, p.cfg.Metrics = dir, prometheus.NewRegistry()
	if p.Store, err = Open(p.cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.stop(t) })
}

func (p *peer) stop(t *testing.T) {
	t.Helper()
	if p.Store == nil {
		return
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if err := p.cfg.Dir.Close(); err != nil {
		t.Error(err)
	}
	p.Store = nil
}

// peers makes a group of n nodes on loopback and starts them.
func peers(t *testing.T, n int, change func(*Config)) []*peer {
	t.Helper()
	all := unstarted(t, n)
	for _, p := range all {
		if change != nil {
			change(&p.cfg)
		}
		p.start(t)
	}
	return all
}

func unstarted(t *testing.T, n int) []*peer {
	t.Helper()
	var all []*peer
	var voters []Voter
	for i := range n {
		name := "n" + strconv.Itoa(i)
		address := freeAddress(t)
		voters = append(voters, Voter{Node: name, Address: address})
		all = append(all, &peer{
			dir: t.TempDir(), id: Identity{Mesh: "m", Datacenter: "dc", Node: name},
			cfg: Config{Bind: address, Advertise: address, Log: slog.New(slog.DiscardHandler)},
		})
	}
	for _, p := range all {
		p.cfg.Voters = voters
	}
	return all
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// leader waits until the running nodes agree on a leader among them.
func leader(t *testing.T, all ...*peer) *peer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		var found *peer
		agreed := true
		for _, p := range all {
			node, _ := p.Leader()
			agreed = agreed && node != "" && (found == nil || node == found.id.Node)
			if p.IsLeader() {
				found = p
			}
		}
		if found != nil && agreed {
			return found
		}
		pause(ctx, t)
	}
}

// eventually waits for a condition that nothing signals.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for !is() {
		if ctx.Err() != nil {
			t.Fatalf("%s: not so in time", what)
		}
		pause(ctx, t)
	}
}

func pause(ctx context.Context, t *testing.T) {
	t.Helper()
	select {
	case <-time.After(5 * time.Millisecond):
	case <-ctx.Done():
		t.Fatal("the condition did not come true in time")
	}
}

var shard = topology.Shard{Origin: "us", Destination: "eu", Number: 3}

func assign(base uint64, node string) state.Command {
	return state.Command{Assign: &state.Assign{Base: base, Owners: []state.ShardOwner{{Shard: shard, Node: node}}}}
}

func propose(t *testing.T, p *peer, c state.Command) (state.Result, uint64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	result, index, err := p.Propose(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	return result, index
}

func reach(t *testing.T, index uint64, all ...*peer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, p := range all {
		if err := p.WaitIndex(ctx, index); err != nil {
			t.Fatalf("%s: %v", p.id.Node, err)
		}
	}
}

// mutualTLS returns a configuration that trusts only itself, for 127.0.0.1.
func mutualTLS(t *testing.T) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "node"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{raw}, PrivateKey: key}},
		RootCAs:      pool, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS13,
	}
}
