package integration

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/meshd/meshd/internal/kafkatest"
)

// site is a cluster in the part that it has in a mesh.
type site struct {
	*kafkatest.Cluster
	alias  string
	shared string // the alias by which other tests know it, too; "" it is not shared
	more   string // further keys of the cluster in the topology, such as "read_only: true"
	noNode bool
	nodes  int // in its datacenter; 0 stands for 1
}

// names are those of the nodes of the site's datacenter.
func (s *site) names() []string {
	var names []string
	for i := 1; !s.noNode && i <= max(1, s.nodes); i++ {
		names = append(names, fmt.Sprintf("%s-%d", s.alias, i))
	}
	return names
}

// mesh is a topology in a file, and the node names and directories that go with it.
type mesh struct {
	name    string
	binary  string
	sites   []*site
	links   string // YAML
	secrets string
	env     []string // of the nodes
	file    string
	admin   map[string]string // address by node
	latest  map[string]*node  // the process that was started last, by node
	data    map[string]string // directory, by node
	runs    int
}

// shared returns the clusters that tests have in common, by alias. A busy machine may hold a broker up for longer than its
// controller waits by default.
func shared(t testing.TB, aliases ...string) []*site {
	t.Helper()
	var sites []*site
	for _, alias := range aliases {
		sites = append(sites, &site{Cluster: kafkatest.Shared(t, alias, brisk("broker.session.timeout.ms", "60000")), alias: alias, shared: alias})
	}
	return sites
}

// own starts a cluster that the test has alone, and may stop where it is Restartable.
func own(t testing.TB, alias string, options ...kafkatest.Option) *site {
	t.Helper()
	return &site{Cluster: kafkatest.Start(t, alias, append(options, brisk())...), alias: alias}
}

// brisk has a broker look for something to compact several times a second, and a new group start without waiting for members.
func brisk(more ...string) kafkatest.Option {
	properties := map[string]string{"log.cleaner.backoff.ms": "200", "group.initial.rebalance.delay.ms": "0"}
	for i := 0; i < len(more); i += 2 {
		properties[more[i]] = more[i+1]
	}
	return kafkatest.WithProperties(properties)
}

// newMesh writes a topology in which each site is a datacenter; its nodes are named <alias>-1 and so on.
func newMesh(t testing.TB, links string, sites ...*site) *mesh {
	t.Helper()
	m := &mesh{name: "it", binary: binary, sites: sites, links: links, secrets: t.TempDir(), latest: map[string]*node{}, data: map[string]string{}}
	for _, s := range sites {
		if s.shared != "" && s.alias != s.shared { // a cluster has one alias in a mesh, for good
			m.name += "-" + s.alias
		}
	}
	m.write(t)
	return m
}

// write makes a file of the mesh as it is now, with fresh ports for its nodes.
func (m *mesh) write(t testing.TB) {
	t.Helper()
	m.runs++
	m.admin = map[string]string{}
	var y strings.Builder
	fmt.Fprintf(&y, "version: %d\nmesh: %s\nclusters:\n", m.runs, m.name)
	for _, s := range m.sites {
		fmt.Fprintf(&y, "  %s: {bootstrap: [%s]%s}\n", s.alias, strings.Join(s.Bootstrap(), ", "), comma(s.more))
	}
	y.WriteString("nodes:\n")
	for _, s := range m.sites {
		for _, name := range s.names() {
			ports := freePorts(t, 3)
			m.admin[name] = ports[2]
			fmt.Fprintf(&y, "  %s: {datacenter: %s, gossip: %q, raft: %q, admin: %q}\n", name, s.alias, ports[0], ports[1], ports[2])
		}
	}
	fmt.Fprintf(&y, "links:\n%s\nintervals: {discovery: 1s, progress: 500ms, configs: 1s}\n", m.links)
	m.file = filepath.Join(t.TempDir(), "topology.yaml")
	if err := os.WriteFile(m.file, []byte(y.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

func comma(s string) string {
	if s == "" {
		return ""
	}
	return ", " + s
}

// ports begin below those that the system gives to connections. No two nodes of this process get the same one.
var ports atomic.Int32

func init() { ports.Store(20_000 + rand.Int32N(8_000)) }

// freePorts returns addresses on loopback on which nothing listens.
func freePorts(t testing.TB, n int) []string {
	t.Helper()
	var addresses []string
	for len(addresses) < n {
		address := fmt.Sprintf("127.0.0.1:%d", ports.Add(1))
		if l, err := net.Listen("tcp", address); err == nil {
			l.Close()
			addresses = append(addresses, address)
		}
	}
	return addresses
}

// start starts a node with an empty data directory.
func (m *mesh) start(t testing.TB, name string) *node {
	t.Helper()
	return m.startIn(t, name, t.TempDir())
}

func (m *mesh) startIn(t testing.TB, name, dataDir string) *node {
	t.Helper()
	m.data[name] = dataDir
	m.latest[name] = start(t, name, m.env, m.binary, "run", "--topology", m.file, "--node", name, "--data-dir", dataDir, "--secrets-dir", m.secrets)
	t.Cleanup(func() { m.explain(t, name) })
	return m.latest[name]
}

// again starts a node that has ended, with the data directory that it had.
func (m *mesh) again(t testing.TB, name string) *node {
	t.Helper()
	return m.startIn(t, name, m.data[name])
}

// startAll starts the nodes of every datacenter.
func (m *mesh) startAll(t testing.TB) {
	t.Helper()
	for _, s := range m.sites {
		for _, name := range s.names() {
			m.start(t, name)
		}
	}
}

// secret copies a file to where the nodes look for secrets, and returns its name in the topology.
func (m *mesh) secret(t testing.TB, name, from string) string {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	m.secretText(t, name, string(content))
	return name
}

func (m *mesh) secretText(t testing.TB, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(m.secrets, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// link is a link between all sites for topics that match.
func link(aliases string, topics ...string) string {
	return fmt.Sprintf("  - between: [%s]\n    topics: {include: [%s]}\n    groups: {include: [\".*\"]}", aliases, quoted(topics))
}

func oneWay(from, to string, topics ...string) string {
	return fmt.Sprintf("  - from: [%s]\n    to: [%s]\n    topics: {include: [%s]}", from, to, quoted(topics))
}

func quoted(texts []string) string {
	var q []string
	for _, s := range texts {
		q = append(q, fmt.Sprintf("%q", s))
	}
	return strings.Join(q, ", ")
}
