package gossip

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/meshd/meshd/topology"
)

// Peer is a node that the topology lists.
type Peer struct {
	Datacenter string
	Address    string // of its gossip, host:port
}

// Host is the node that gossips. Its methods must not wait, nor call this package, apart from Load.
type Host interface {
	Peers() map[string]Peer // all listed nodes, this one among them
	Meta() Meta             // what to say of this node
	Topology() []byte       // encoded
	Hear(from string, encoded []byte)
	Load() map[topology.Shard]float64 // bytes/s of what this node writes
}

// Config is what gossip needs to begin.
type Config struct {
	Node       string
	Datacenter string
	Mesh       string
	Bind       string                        // host:port to listen on, UDP and TCP
	Advertise  string                        // host:port on which the others reach this node
	Keyring    *memberlist.Keyring           // nil: plain
	Transport  memberlist.NodeAwareTransport // in the place of the network; nil: UDP and TCP at Bind
	Log        *slog.Logger
	Metrics    prometheus.Registerer
}

// tellLoad is how often a node tells its load to the others of its datacenter.
const tellLoad = 2 * time.Second

// Gossip is a node's part in both pools.
type Gossip struct {
	cfg       Config
	host      Host
	advertise *net.UDPAddr
	mux       *mux
	members   *members
	metrics   *metrics
	refused   *refusals
	pools     []*pool // LAN first

	update chan struct{} // one place: Meta changed
	cancel context.CancelFunc
	loops  sync.WaitGroup
	close  sync.Once
	err    error
}

// Start begins to gossip. It does not wait for any other node.
func Start(cfg Config, host Host) (*Gossip, error) {
	ctx, cancel := context.WithCancel(context.Background())
	g := &Gossip{cfg: cfg, host: host, members: newMembers(), update: make(chan struct{}, 1), cancel: cancel}
	g.metrics = newMetrics(cfg.Metrics, g.Members)
	g.refused = &refusals{log: cfg.Log, metrics: g.metrics, said: map[string]time.Time{}}
	if err := g.open(ctx); err != nil {
		return nil, errors.Join(err, g.Close())
	}
	for _, p := range g.pools {
		g.loops.Go(func() { p.loop(ctx) })
	}
	g.loops.Go(func() { g.tell(ctx) })
	return g, nil
}

func (g *Gossip) open(ctx context.Context) error {
	base := g.cfg.Transport
	if base == nil {
		var err error
		if base, err = network(ctx, g.cfg); err != nil {
			return err
		}
	}
	g.mux = newMux(base, []string{lan.label(g.cfg), wan.label(g.cfg)}, g.cfg.Log, g.metrics, g.refused)
	if err := g.ownAddress(ctx, base); err != nil {
		return err
	}
	for _, k := range []kind{lan, wan} {
		p, err := g.newPool(k)
		if err != nil {
			return err
		}
		g.pools = append(g.pools, p)
	}
	return g.metrics.register()
}

// network listens. The name in Bind is resolved here: memberlist takes what is no IP address for all addresses of the machine.
func network(ctx context.Context, cfg Config) (memberlist.NodeAwareTransport, error) {
	at, err := resolve(ctx, cfg.Bind)
	if err != nil {
		return nil, fmt.Errorf("listening for gossip on %s: %w", cfg.Bind, err)
	}
	t, err := memberlist.NewNetTransport(&memberlist.NetTransportConfig{
		BindAddrs: []string{at.IP.String()}, BindPort: at.Port, Logger: log.New(io.Discard, "", 0),
	})
	if err != nil {
		return nil, fmt.Errorf("listening for gossip: %w", err)
	}
	return t, nil
}

// ownAddress finds the IP address to tell the others. A node must start though no name server answers: then it is the one that it is
// bound to, and the others, who find it by its name, get to know it by that.
func (g *Gossip) ownAddress(ctx context.Context, base memberlist.Transport) (err error) {
	if g.advertise, err = resolve(ctx, g.cfg.Advertise); err == nil {
		return nil
	}
	ip, port, bound := base.FinalAdvertiseAddr("", 0)
	if bound != nil {
		return fmt.Errorf("resolving this node's gossip address: %w", errors.Join(err, bound))
	}
	g.cfg.Log.Warn("this node's gossip address can't be resolved; telling the others the address that it is bound to",
		slog.String("address", g.cfg.Advertise), slog.String("instead", ip.String()), slog.Any("error", err))
	g.advertise = &net.UDPAddr{IP: ip, Port: port}
	return nil
}

// tell tells the others what changes here.
func (g *Gossip) tell(ctx context.Context) {
	ticker := time.NewTicker(tellLoad)
	defer ticker.Stop()
	for {
		select {
		case <-g.update:
			for _, p := range g.pools {
				if err := p.list.UpdateNode(time.Second); err != nil {
					g.cfg.Log.Debug("telling of this node", slog.String("pool", string(p.kind)), slog.Any("error", err))
				}
			}
		case <-ticker.C:
			g.sendLoad()
		case <-ctx.Done():
			return
		}
	}
}

func (g *Gossip) sendLoad() {
	load := g.host.Load()
	if len(load) == 0 {
		return
	}
	message, err := encodeLoad(g.cfg.Node, load)
	if err != nil { // a load that is no number
		g.cfg.Log.Error("telling the load", slog.Any("error", err))
		return
	}
	for _, n := range g.members.inPool(lan) {
		if err := g.pools[0].list.SendReliable(&n, message); err != nil {
			g.cfg.Log.Debug("telling the load", slog.String("node", n.Name), slog.Any("error", err))
		}
	}
}

// Update tells the others that this node's Meta changed.
func (g *Gossip) Update() {
	select {
	case g.update <- struct{}{}:
	default: // it is about to
	}
}

// Members returns the other listed nodes, in the order of their names.
func (g *Gossip) Members() []Member {
	return g.members.list(g.host.Peers(), g.cfg.Node, g.cfg.Datacenter)
}

// Loads returns what the other nodes of the datacenter said of their load, in bytes/s.
func (g *Gossip) Loads() map[topology.Shard]float64 { return g.members.loads() }

// Watch returns a channel that is signalled after changes, once for several; the function ends it. That a node which was never heard
// of counts as dead after a while is not signalled.
func (g *Gossip) Watch() (<-chan struct{}, func()) { return g.members.watch() }

// Leave tells the others that this node goes, so that they need not find out. It takes a second at most: time for the LAN to be told
// four times, and the WAN twice.
func (g *Gossip) Leave() {
	var told sync.WaitGroup
	for _, p := range g.pools {
		told.Go(func() {
			if err := p.list.Leave(time.Second); err != nil { // fewer times than memberlist would like
				g.cfg.Log.Debug("leaving", slog.String("pool", string(p.kind)), slog.Any("error", err))
			}
		})
	}
	told.Wait()
}

// Close stops to gossip, without a word to the others.
func (g *Gossip) Close() error {
	g.close.Do(func() {
		g.cancel()
		g.loops.Wait()
		for _, p := range g.pools {
			g.err = errors.Join(g.err, p.list.Shutdown())
		}
		if g.mux != nil { // after the pools, which answer what arrives
			g.err = errors.Join(g.err, g.mux.close())
		}
		g.metrics.unregister()
	})
	return g.err
}
