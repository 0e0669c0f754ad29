package topology

import (
	"time"

	"gopkg.in/yaml.v3"
)

// Alias is the short name of a Kafka cluster in a topology.
type Alias string

// Topology is one accepted version of the mesh: what is replicated where, and by whom. It is immutable once parsed.
type Topology struct {
	Version    int64
	Parent     string // hash of the version that this one was made from; "" for the first
	Mesh       string
	Insecure   bool      // plain gossip, raft and admin are allowed off loopback
	Security   *Security // nil: loopback only, or Insecure
	Clusters   map[Alias]Cluster
	Nodes      map[string]Node
	Links      []Link // in the order of the file
	Intervals  Intervals
	Limits     Limits
	OffsetMap  OffsetMap
	Metrics    Metrics
	Switchover Switchover

	file     string // as its problems name it
	source   []byte
	root     *yaml.Node
	hash     string
	warnings Problems
}

// Security is how nodes know each other. Paths are relative to --secrets-dir.
type Security struct {
	TLS           TLS
	GossipKeyring string
	TokensFile    string // admin tokens; roles view, operate, admin
}

// TLS names PEM files. CA alone is TLS with a private authority; Cert and Key add mutual TLS.
type TLS struct {
	CA, Cert, Key string
	ServerName    string
	Insecure      bool // skip verification of the broker's certificate
}

// SASL is how meshd logs in to a cluster. The password comes from a file or from the environment, never from the topology.
type SASL struct {
	Mechanism    string // PLAIN, SCRAM-SHA-256, SCRAM-SHA-512
	Username     string
	PasswordFile string // relative to --secrets-dir
	PasswordEnv  string
}

// Endpoint is one way of reaching a cluster.
type Endpoint struct {
	Bootstrap []string // host:port; or the single word "embedded"
	TLS       *TLS     // nil: plaintext
	SASL      *SASL    // nil: no login
}

// Embedded says whether the cluster lives inside the meshd process.
func (e Endpoint) Embedded() bool { return len(e.Bootstrap) == 1 && e.Bootstrap[0] == "embedded" }

// Cluster is one Kafka cluster.
type Cluster struct {
	Alias                     Alias
	ID                        string // expected Kafka cluster id; "" takes any
	Datacenter                string
	Inside                    Endpoint // as nodes of its own datacenter reach it
	Outside                   Endpoint // as all other nodes reach it
	Rack                      string
	ReadOnly                  bool
	RequestTimeout            time.Duration
	InternalReplicationFactor int // 0: auto, min(3, brokers)
}

// Endpoint returns how a node in datacenter dc reaches the cluster.
func (c Cluster) Endpoint(dc string) Endpoint {
	if dc == c.Datacenter {
		return c.Inside
	}
	return c.Outside
}

// Node is one meshd process and the addresses on which others reach it.
type Node struct {
	Name       string
	Datacenter string
	Gossip     string // host:port
	Raft       string // host:port
	Admin      string // host:port
	Bind       string // address to listen on; "" is the host of each address
}

// Pair is one direction of a link.
type Pair struct {
	Source      Alias `json:"source"`
	Destination Alias `json:"destination"`
}

func (p Pair) String() string { return string(p.Source) + "->" + string(p.Destination) }

// Link is a set of directed pairs with one set of rules.
type Link struct {
	Name     string
	Pairs    []Pair // expanded, without repetition
	Cost     int
	Topics   Topics
	Groups   Groups
	Settings LinkSettings // of the link; Topics.Rules override them by topic
	Paused   bool
}

// LinkSettings is everything that defaults.link, a link and a topic rule can set; the nearer setting wins.
type LinkSettings struct {
	Naming            Naming
	Provenance        Provenance // of identity naming
	Separator         string
	Remote            string // look-alikes of remote topics: ask | adopt | local
	Start             Start
	ReplicationFactor int    // 0: as at the source; -1: the broker's default; else 1..n; capped by the brokers there
	LimitBytes        int64  // bytes/s; 0: no limit
	OnGap             string // stop | continue
	OnRecreate        OnRecreate
	OnDelete          string     // keep | stop
	Divergence        Divergence // of identity naming
	SyncGroups        bool
	SyncConfigs       bool
	SyncPartitions    bool
	ConfigsExclude    []string // names; * stands for any characters
	MM2Checkpoints    bool
	MM2Heartbeats     bool
}

// Start is where a flow that has no progress begins.
type Start struct {
	Latest bool
	Time   time.Time // zero: earliest, or latest
}
