package gossip

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/hashicorp/memberlist"
)

// kind is one of the two pools.
type kind string

const (
	lan kind = "lan"
	wan kind = "wan"
)

// pool is one memberlist and what it is told by it.
type pool struct {
	kind  kind
	g     *Gossip
	list  *memberlist.Memberlist
	fetch chan struct{}        // one place: a node with a higher topology was heard of
	tried map[string]time.Time // when joining a node was last tried; of the loop alone
}

// times of the pools. In the LAN a node that answers nothing is suspected by the second probe at the latest, 0.4 s, and dead 0.8 s
// later: the suspicion lasts SuspicionMult probes in pools of up to ten nodes, and no longer in larger ones, for its maximum is no
// multiple of it. A node that is itself slow stretches its probes twofold at most.
func (k kind) config() *memberlist.Config {
	if k == lan {
		c := memberlist.DefaultLANConfig()
		c.ProbeInterval, c.ProbeTimeout = 200*time.Millisecond, 100*time.Millisecond
		c.SuspicionMult, c.SuspicionMaxTimeoutMult, c.AwarenessMaxMultiplier = 4, 1, 2
		c.GossipInterval, c.PushPullInterval, c.TCPTimeout = 100*time.Millisecond, 10*time.Second, time.Second
		return c
	}
	c := memberlist.DefaultWANConfig()
	c.ProbeInterval, c.ProbeTimeout = 2*time.Second, time.Second
	c.PushPullInterval, c.TCPTimeout, c.AwarenessMaxMultiplier = 15*time.Second, 2*time.Second, 2
	return c
}

// retry is how often the loop looks, and how often a node that is not a member is tried.
func (k kind) retry() (look, again time.Duration) {
	if k == lan {
		return 500 * time.Millisecond, time.Second
	}
	return 2 * time.Second, 6 * time.Second
}

func (k kind) label(cfg Config) string {
	if k == lan {
		return "meshd/" + cfg.Mesh + "/lan/" + cfg.Datacenter
	}
	return "meshd/" + cfg.Mesh + "/wan"
}

func (g *Gossip) newPool(k kind) (*pool, error) {
	p := &pool{kind: k, g: g, fetch: make(chan struct{}, 1), tried: map[string]time.Time{}}
	c := k.config()
	c.Name, c.Label, c.SkipInboundLabelCheck = g.cfg.Node, k.label(g.cfg), true // the mux has checked it
	c.Transport, c.Keyring = g.mux.pools[c.Label], g.cfg.Keyring
	c.AdvertiseAddr, c.AdvertisePort = g.advertise.IP.String(), g.advertise.Port
	c.DeadNodeReclaimTime = time.Second // a node may come back at another address
	c.Delegate, c.Events, c.Alive = p, p, p
	c.Logger = log.New(lines{g.cfg.Log.With(slog.String("pool", string(k)))}, "", 0)
	var err error
	if p.list, err = memberlist.Create(c); err != nil {
		return nil, fmt.Errorf("starting %s gossip: %w", k, err)
	}
	return p, nil
}

// loop keeps the pool whole: it joins listed nodes that are not members, for memberlist forgets the dead, and asks for topologies.
func (p *pool) loop(ctx context.Context) {
	look, _ := p.kind.retry()
	ticker := time.NewTicker(look)
	defer ticker.Stop()
	for {
		p.step(ctx)
		select {
		case <-ticker.C:
		case <-p.fetch:
		case <-ctx.Done():
			return
		}
	}
}

func (p *pool) step(ctx context.Context) {
	peers := p.g.host.Peers()
	if best := p.g.members.highest(p.kind); best.Meta.Topology.Compare(p.g.host.Meta().Topology) > 0 {
		p.join(ctx, best.Name, peers[best.Name]) // a push/pull with a member brings its topology
	}
	_, again := p.kind.retry()
	for name, peer := range peers {
		if name == p.g.cfg.Node || !p.covers(peer) || p.g.members.alive(p.kind, name) || time.Since(p.tried[name]) < again {
			continue
		}
		p.tried[name] = time.Now()
		p.join(ctx, name, peer)
	}
}

func (p *pool) covers(peer Peer) bool { return p.kind == wan || peer.Datacenter == p.g.cfg.Datacenter }

func (p *pool) join(ctx context.Context, name string, peer Peer) {
	if ctx.Err() != nil || peer.Address == "" {
		return
	}
	at, err := resolve(ctx, peer.Address)
	if err == nil {
		_, err = p.list.Join([]string{name + "/" + at.String()})
	}
	if err != nil {
		p.g.cfg.Log.Debug("joining", slog.String("pool", string(p.kind)), slog.String("node", name), slog.Any("error", err))
	}
}

// resolve looks a name up, for a second at most. memberlist would ask the name servers itself, with no limit and for any record.
func resolve(ctx context.Context, address string) (*net.UDPAddr, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	number, err := net.DefaultResolver.LookupPort(ctx, "udp", port)
	if err != nil {
		return nil, err
	}
	ips, err := net.DefaultResolver.LookupIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	return &net.UDPAddr{IP: ips[0], Port: number}, nil
}

// lines passes memberlist's log lines on. What it calls an error is a packet that got lost; changes of state are logged by their own.
type lines struct{ to *slog.Logger }

func (l lines) Write(line []byte) (int, error) {
	text := strings.TrimSpace(string(line))
	level := slog.LevelDebug
	if strings.HasPrefix(text, "[ERR]") {
		level = slog.LevelInfo
	}
	_, text, _ = strings.Cut(text, "] ")
	l.to.LogAttrs(context.Background(), level, text)
	return len(line), nil
}
