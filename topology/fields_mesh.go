package topology

import "math"

// Bounds of a topology; they also bound what a hostile one can cost.
const (
	maxClusters = 100
	maxNodes    = 1000
	maxLinks    = 1000
	maxRules    = 1000
)

// draft is a topology that is being read.
type draft struct {
	t       *Topology
	cluster Cluster      // defaults.cluster
	link    LinkSettings // defaults.link

	aliases []Alias         // in the order of the file, as are nodes
	nodes   []string        // names
	pairs   map[Pair]string // in which link; its path
}

func newDraft() *draft {
	d := &draft{t: &Topology{Clusters: map[Alias]Cluster{}, Nodes: map[string]Node{}}, pairs: map[Pair]string{}}
	setDefaults(d.fields())
	return d
}

// fields is the whole file. The order matters: defaults come before what they apply to, clusters before what names them.
func (d *draft) fields() []field {
	t := d.t
	return []field{
		integer("version", "a whole number from 1", "", &t.Version, 1, math.MaxInt64).must(),
		text("mesh", "name", &t.Mesh, meshRule).must(),
		optional("security", &t.Security, securityFields),
		boolean("insecure", "false", &t.Insecure),
		group("defaults",
			group("cluster", clusterSettingFields(&d.cluster)...).like("request_timeout, internal_replication_factor of a cluster"),
			group("link", settingFields(&d.link)...).like("settings of a link")),
		dict("clusters", "alias", aliasRule, clusterFields(new(Cluster)), maxClusters, d.readCluster).must(),
		dict("nodes", "node", nodeRule, nodeFields(new(nodeDraft)), maxNodes, d.readNode).must(),
		notYet("autojoin"),
		list("links", d.linkFields(new(linkDraft)), maxLinks, d.readLink).must(),
		group("intervals",
			duration("discovery", "5s", &t.Intervals.Discovery),
			duration("groups", "1s", &t.Intervals.Groups),
			duration("group_refresh", "6h", &t.Intervals.GroupRefresh),
			duration("progress", "1s", &t.Intervals.Progress),
			duration("heartbeat", "1s", &t.Intervals.Heartbeat),
			duration("configs", "30s", &t.Intervals.Configs),
			notYet("acls")),
		group("limits",
			size("memory", "64MiB", &t.Limits.Memory, 1<<20),
			notYet("connections_per_broker")),
		group("offset_map",
			size("max_bytes_per_partition", "1MiB", &t.OffsetMap.MaxBytesPerPartition, 1<<10)),
		group("metrics",
			boolean("per_partition", "false", &t.Metrics.PerPartition)),
		notYet("switchover"),
	}
}

func securityFields(s *Security) []field {
	return []field{
		group("tls",
			text("ca", "path", &s.TLS.CA, secretRule).must(),
			text("cert", "path", &s.TLS.Cert, secretRule).must(),
			text("key", "path", &s.TLS.Key, secretRule).must()).must(),
		text("gossip_keyring", "path", &s.GossipKeyring, secretRule).must(),
		group("admin", text("tokens_file", "path", &s.TokensFile, secretRule).must()),
	}
}
