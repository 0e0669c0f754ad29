package demo

import (
	"fmt"

	"github.com/meshd/meshd/topology"
)

// text is the topology of the demo: what a file for three datacenters looks like.
const text = `version: 1
mesh: demo
defaults:
  cluster: {request_timeout: 2s}
clusters:
  us: {bootstrap: embedded}
  eu: {bootstrap: embedded}
  ap: {bootstrap: embedded}
nodes:
  us-1: {datacenter: us, address: 127.0.0.1, gossip: "127.0.0.1:17941", raft: "127.0.0.1:17942", admin: "127.0.0.1:17943"}
  us-2: {datacenter: us, gossip: "127.0.0.1:17944", raft: "127.0.0.1:17945", admin: "127.0.0.1:17946"}
  eu-1: {datacenter: eu, gossip: "127.0.0.1:17951", raft: "127.0.0.1:17952", admin: "127.0.0.1:17953"}
  eu-2: {datacenter: eu, gossip: "127.0.0.1:17954", raft: "127.0.0.1:17955", admin: "127.0.0.1:17956"}
  ap-1: {datacenter: ap, gossip: "127.0.0.1:17961", raft: "127.0.0.1:17962", admin: "127.0.0.1:17963"}
  ap-2: {datacenter: ap, gossip: "127.0.0.1:17964", raft: "127.0.0.1:17965", admin: "127.0.0.1:17966"}
links:
  - between: [us, eu, ap]
    topics: {include: [orders]}
    groups: {include: [billing]}
`
