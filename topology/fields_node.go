package topology

const (
	gossipPort = "7946"
	raftPort   = "7947"
	adminPort  = "7948"

	localhost = "127.0.0.1"
)

type nodeDraft struct {
	Node
	address string // host
}

func nodeFields(n *nodeDraft) []field {
	return []field{
		text("datacenter", "name", &n.Datacenter, datacenterRule).must(),
		text("address", "host", &n.address, peerHostRule).or("127.0.0.1, where gossip and raft are left out too"),
		text("bind", "host", &n.Bind, hostRule).or("the host of each address"),
		text("gossip", "host:port", &n.Gossip, peerRule).or("port 7946 of address"),
		text("raft", "host:port", &n.Raft, peerRule).or("port 7947 of address"),
		text("admin", "host:port", &n.Admin, peerRule).or("port 7948 of address, or of 127.0.0.1"),
	}
}

func (d *draft) readNode(p *parser, name string, v value) {
	n := nodeDraft{Node: Node{Name: name}}
	p.mapping(v, nodeFields(&n))
	if p.sound(v) {
		n.fill(p, v)
	}
	d.t.Nodes[name] = n.Node
	d.nodes = append(d.nodes, name)
}

// fill derives the addresses that are left out.
func (n *nodeDraft) fill(p *parser, v value) {
	if n.address == "" && (n.Gossip == "") != (n.Raft == "") {
		p.bad(v, "gossip and raft go together").Hint = "or give address, from which both follow"
		return
	}
	if n.address == "" && n.Gossip == "" {
		n.address = localhost
	}
	for _, a := range []struct {
		at   *string
		port string
	}{{&n.Gossip, gossipPort}, {&n.Raft, raftPort}, {&n.Admin, adminPort}} {
		switch {
		case *a.at != "":
		case n.address != "":
			*a.at = joinHostPort(n.address, a.port)
		default: // the admin API alone may be left out, and then is for this machine only
			*a.at = joinHostPort(localhost, a.port)
		}
	}
}
