package topology

import (
	"slices"
	"strings"
)

// validate checks what can be seen only when the whole file is read.
func (d *draft) validate(p *parser) {
	d.checkIDs(p)
	d.checkSeparators(p)
	d.checkProvenances(p)
	d.checkDatacenters(p)
	d.checkAddresses(p)
	d.checkSecurity(p)
}

func clusterPath(a Alias) string { return join("clusters", string(a)) }

func nodePath(name string) string { return join("nodes", name) }

func (d *draft) checkIDs(p *parser) {
	first := map[string]Alias{}
	for _, a := range d.aliases {
		id := d.t.Clusters[a].ID
		if other, ok := first[id]; ok && id != "" {
			p.bad(p.at(clusterPath(a)+".id"), "the cluster id of %s too", other).Hint = "two aliases of one cluster would copy it into itself"
			continue
		}
		first[id] = a
	}
}

// checkSeparators keeps <alias><separator><topic> unambiguous.
func (d *draft) checkSeparators(p *parser) {
	for _, v := range p.separators {
		for _, a := range d.aliases {
			if v.node.Value != "" && strings.Contains(string(a), v.node.Value) {
				p.bad(v, "the separator %q is inside the alias %s", v.node.Value, short(string(a))).Hint = "take another separator, or another alias"
			}
		}
	}
}

// checkDatacenters sees to it that every cluster that is written to has nodes that write.
func (d *draft) checkDatacenters(p *parser) {
	known, staffed := []string{}, map[string]bool{}
	for _, a := range d.aliases {
		known = append(known, d.t.Clusters[a].Datacenter)
	}
	for _, name := range d.nodes {
		dc := d.t.Nodes[name].Datacenter
		staffed[dc] = true
		if dc != "" && len(known) > 0 && !slices.Contains(known, dc) {
			p.bad(p.at(nodePath(name)+".datacenter"), "no cluster is in datacenter %q", short(dc)).Hint = didYouMean(dc, known)
		}
	}
	if len(d.nodes) == 0 {
		return // told already
	}
	destinations := map[Alias]bool{}
	for pair := range d.pairs {
		destinations[pair.Destination] = true
	}
	for _, a := range d.aliases {
		if dc := d.t.Clusters[a].Datacenter; destinations[a] && !d.t.Clusters[a].ReadOnly && !staffed[dc] {
			p.bad(p.at(clusterPath(a)), "a link ends here, and no node is in its datacenter %q", short(dc)).Hint = "the nodes of a cluster's datacenter write into it"
		}
	}
}

// checkAddresses refuses one address for two things. Loopback addresses of the admin API may repeat on other hosts.
func (d *draft) checkAddresses(p *parser) {
	first := map[string]string{}
	for _, name := range d.nodes {
		n := d.t.Nodes[name]
		home, _, _ := splitHostPort(n.Gossip)
		for _, a := range []struct{ key, address, machine string }{{"gossip", n.Gossip, ""}, {"raft", n.Raft, ""}, {"admin", n.Admin, home}} {
			host, _, _ := splitHostPort(a.address)
			path, place := nodePath(name)+"."+a.key, a.address
			if a.machine != "" && a.machine != host && loopback(host) {
				place += " on " + a.machine
			}
			if other, ok := first[place]; ok && a.address != "" {
				p.bad(p.at(path), "%s is the address of %s too", a.address, other)
				continue
			}
			first[place] = path
		}
	}
}

// checkSecurity refuses plain traffic between machines unless it is asked for.
func (d *draft) checkSecurity(p *parser) {
	if d.t.Security != nil && d.t.Insecure {
		p.bad(p.at("insecure"), "security and insecure: true exclude each other")
		return
	}
	told := d.t.Insecure || d.t.Security != nil
	for _, name := range d.nodes {
		n := d.t.Nodes[name]
		if path, off := offLoopback(n); off && !told {
			p.bad(p.at(join(nodePath(name), path)), "is reachable from other machines, without security").Hint = "set security, or insecure: true"
			told = true // once is enough, whatever the number of nodes
		}
		if host, _, _ := splitHostPort(n.Admin); n.Admin != "" && !loopback(host) && d.t.Security != nil && d.t.Security.TokensFile == "" && p.sound(p.at("security")) {
			p.bad(p.at("security.admin"), "is missing").Hint = "the admin API of node " + name + " is reachable from other machines"
		}
	}
}

// offLoopback names the first address on which another machine could reach the node.
func offLoopback(n Node) (key string, off bool) {
	if n.Bind != "" && !loopback(n.Bind) {
		return "bind", true
	}
	for _, a := range []struct{ key, address string }{{"gossip", n.Gossip}, {"raft", n.Raft}, {"admin", n.Admin}} {
		if host, _, _ := splitHostPort(a.address); a.address != "" && !loopback(host) {
			return a.key, true
		}
	}
	return "", false
}

// checkEmbedded refuses embedded clusters that more than one process would need: each would make its own.
func (d *draft) checkEmbedded(p *parser) {
	for _, a := range d.aliases {
		c := d.t.Clusters[a]
		if !c.Inside.Embedded() {
			continue
		}
		at := p.at(clusterPath(a))
		if len(d.nodes) > 1 {
			p.bad(at, "an embedded cluster lives in the process of one node, and there are %d nodes", len(d.nodes)).Hint = "leave one node, or use real clusters"
		} else if len(d.nodes) == 1 && d.t.Nodes[d.nodes[0]].Datacenter != c.Datacenter {
			n := d.t.Nodes[d.nodes[0]]
			p.bad(at, "an embedded cluster lives in the process of node %s, which is in another datacenter", n.Name).Hint = "set its datacenter to " + short(n.Datacenter)
		}
	}
}
