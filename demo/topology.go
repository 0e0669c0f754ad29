package demo

import (
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/meshd/meshd/topology"
)

const (
	topic      = "orders"
	group      = "billing"
	partitions = 4
)

// places are the datacenters in the order in which they are shown. Each has one cluster, of the same name.
var places = []topology.Alias{"us", "eu", "ap"}

// text is the topology of the demo, its nodes apart: a file for three datacenters looks like this.
const text = `version: 1
mesh: demo
defaults:
  cluster: {request_timeout: 2s}
clusters:
  us: {bootstrap: embedded}
  eu: {bootstrap: embedded}
  ap: {bootstrap: embedded}
links:
  - between: [us, eu, ap]
    topics: {include: [orders]}
    groups: {include: [billing]}
`

// parse reads the topology, with two nodes a datacenter on ports of this machine that are free.
func parse(naming Naming) (*topology.Topology, error) {
	at, err := freeAddresses(portsOfNode * 2 * len(places))
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	b.WriteString(text)
	if naming != Prefix {
		fmt.Fprintf(&b, "    naming: %s\n", naming)
	}
	b.WriteString("nodes:\n")
	for _, dc := range places {
		for n := range 2 {
			fmt.Fprintf(&b, "  %s-%d: {datacenter: %s, gossip: %q, raft: %q, admin: %q}\n", dc, n+1, dc, at[0], at[1], at[2])
			at = at[portsOfNode:]
		}
	}
	t, err := topology.ParseInProcess("demo.yaml", []byte(b.String()))
	if err != nil {
		return nil, fmt.Errorf("reading the topology: %w", err)
	}
	return t, nil
}

const portsOfNode = 3

// Ports below those that systems give to outgoing connections: a node that is dead for a while must find its own again.
const lowPort, highPort = 20_000, 32_000

// freeAddresses finds ports next to each other on which nothing listens. Where it begins depends on the process, so that two that
// look at the same time don't find the same.
func freeAddresses(n int) ([]string, error) {
	blocks := (highPort - lowPort) / n
	for try := range blocks {
		first := lowPort + (os.Getpid()+try)%blocks*n
		addresses := make([]string, n)
		for i := range addresses {
			addresses[i] = fmt.Sprintf("127.0.0.1:%d", first+i)
		}
		if free(addresses) {
			return addresses, nil
		}
	}
	return nil, fmt.Errorf("looking for %d free ports from %d to %d: none found", n, lowPort, highPort)
}

// free says whether both TCP and UDP can be had, as gossip needs it.
func free(addresses []string) bool {
	for _, a := range addresses {
		l, err := net.Listen("tcp", a)
		if err != nil {
			return false
		}
		c, err := net.ListenPacket("udp", a)
		if l.Close() != nil || err != nil || c.Close() != nil {
			return false
		}
	}
	return true
}
