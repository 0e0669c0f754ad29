package topology

// Warnings is what a topology was accepted with and is probably not meant, in the order of the file.
func (t *Topology) Warnings() []Problem { return t.warnings }

func (d *draft) warn(p *parser) {
	linked, written := map[Alias]bool{}, map[string]bool{}
	for pair := range d.t.Pairs() {
		linked[pair.Source], linked[pair.Destination] = true, true
		written[d.t.Clusters[pair.Destination].Datacenter] = true
	}
	for _, a := range d.aliases {
		if !linked[a] {
			p.warn(clusterPath(a), "is in no link")
		}
	}
	for _, name := range d.nodes {
		if !written[d.t.Nodes[name].Datacenter] {
			p.warn(nodePath(name), "has nothing to do: no link ends in its datacenter")
		}
	}
}
