package chaos

import (
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/meshd/meshd/internal/child"
)

// mesh is clusters with their nodes.
type mesh struct {
	sides  []*side
	binary string
	dir    string
	file   string // the topology
	nodes  map[string]*node
	admin  map[string]string // address, by node
}

// node is a node of the mesh, and its process while it runs.
type node struct {
	*child.Process
	name string
	log  string
}

// client is how a node calls itself to brokers.
func (n *node) client() string { return "meshd/" + n.name }

// theNodes are two in eu and one in us.
var theNodes = []string{"eu-1", "eu-2", "us-1"}

// newMesh writes a topology. Nodes are named for the cluster into which they write. A binary is meshd as it is, or a mutant of it.
func newMesh(t *testing.T, binary string, sides []*side, names []string, links string) *mesh {
	t.Helper()
	m := &mesh{sides: sides, binary: binary, dir: t.TempDir(), nodes: map[string]*node{}, admin: map[string]string{}}
	var y strings.Builder
	fmt.Fprint(&y, "version: 1\nmesh: chaos\nclusters:\n")
	for _, s := range sides {
		fmt.Fprintf(&y, "  %s: {bootstrap: [%s]}\n", s.alias, strings.Join(s.fronts, ", "))
	}
	fmt.Fprint(&y, "nodes:\n")
	for _, name := range names {
		m.nodes[name] = &node{name: name, log: filepath.Join(m.dir, name+".log")}
		ports := freePorts(t, 3)
		m.admin[name] = ports[2]
		fmt.Fprintf(&y, "  %s: {datacenter: %s, gossip: %q, raft: %q, admin: %q}\n", name, home(name), ports[0], ports[1], ports[2])
	}
	fmt.Fprintf(&y, "links:\n%s\nintervals: {discovery: 1s, progress: 500ms, configs: 5s}\n", links)
	m.file = filepath.Join(m.dir, "topology.yaml")
	if err := os.WriteFile(m.file, []byte(y.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return m
}

// home is the alias of the cluster into which a node writes, and the name of its datacenter.
func home(node string) string {
	alias, _, _ := strings.Cut(node, "-")
	return alias
}

// side is a cluster by its alias.
func (m *mesh) side(alias string) *side {
	for _, s := range m.sides {
		if s.alias == alias {
			return s
		}
	}
	return nil
}

// freePorts returns addresses on loopback on which nothing listens, below those that systems give to connections.
func freePorts(t *testing.T, n int) []string {
	t.Helper()
	var addresses []string
	for len(addresses) < n {
		nextPort++
		address := fmt.Sprintf("127.0.0.1:%d", nextPort)
		if l, err := net.Listen("tcp", address); err == nil {
			l.Close()
			addresses = append(addresses, address)
		}
	}
	return addresses
}

var nextPort = 20_000 + os.Getpid()%8_000

// start starts a node, with the data that it left.
func (m *mesh) start(t testing.TB, name string) {
	t.Helper()
	n := m.nodes[name]
	out, err := os.OpenFile(n.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close() // the child has its own
	cmd := exec.Command(m.binary, "run", "--topology", m.file, "--node", name, "--data-dir", filepath.Join(m.dir, name), "--secrets-dir", m.dir)
	cmd.Stdout, cmd.Stderr = out, out
	if n.Process, err = child.Start(cmd); err != nil {
		t.Fatalf("starting %s: %v", name, err)
	}
}

func (m *mesh) startAll(t *testing.T) {
	t.Helper()
	t.Cleanup(m.kill)
	for _, name := range slices.Sorted(maps.Keys(m.nodes)) {
		m.start(t, name)
	}
}

// kill kills all nodes.
func (m *mesh) kill() {
	for _, n := range m.nodes {
		if n.Process != nil {
			n.Kill()
		}
	}
}

func (n *node) signal(t testing.TB, sig syscall.Signal) {
	t.Helper()
	if err := n.Cmd.Process.Signal(sig); err != nil {
		t.Fatalf("sending %s to %s: %v", sig, n.name, err)
	}
}

// said counts the lines of a node's log with some words in them.
func (n *node) said(words string) int {
	content, err := os.ReadFile(n.log)
	if err != nil {
		return 0 // it did not come so far
	}
	return strings.Count(string(content), words)
}

// tail is the end of a node's log.
func (n *node) tail(lines int) string {
	content, err := os.ReadFile(n.log)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(content)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// fallen names the nodes that ended by themselves.
func (m *mesh) fallen() (names []string) {
	for _, n := range m.nodes {
		if n.Process != nil && !n.Running() {
			names = append(names, n.name)
		}
	}
	return names
}
