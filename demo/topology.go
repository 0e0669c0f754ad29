package demo

import (
	"fmt"

	"github.com/meshd/meshd/topology"
)

const (
	topic      = "orders"
	group      = "billing"
	partitions = 4
)

// text is the topology of the demo: a file for three datacenters looks like this.
const text = `version: 1
mesh: demo
defaults:
  cluster: {request_timeout: 2s}
clusters:
  us: {bootstrap: embedded}
  eu: {bootstrap: embedded}
  ap: {bootstrap: embedded}
nodes:
  us-1: {datacenter: us, address: 127.0.1.1}
  us-2: {datacenter: us, address: 127.0.1.2}
  eu-1: {datacenter: eu, address: 127.0.2.1}
  eu-2: {datacenter: eu, address: 127.0.2.2}
  ap-1: {datacenter: ap, address: 127.0.3.1}
  ap-2: {datacenter: ap, address: 127.0.3.2}
links:
  - between: [us, eu, ap]
    topics: {include: [orders]}
    groups: {include: [billing]}
`

func parse() (*topology.Topology, error) {
	t, err := topology.ParseInProcess("demo.yaml", []byte(text))
	if err != nil {
		return nil, fmt.Errorf("reading the topology: %w", err)
	}
	return t, nil
}

// named is what the topic of an origin is called at a cluster.
func named(origin, at topology.Alias) string {
	if origin == at {
		return topic
	}
	return string(origin) + "." + topic
}
