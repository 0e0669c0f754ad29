package gossip

import (
	"errors"
	"log/slog"

	"github.com/hashicorp/memberlist"
)

// A pool is what its memberlist asks and tells. memberlist holds its lock in most of these calls.
var (
	_ memberlist.Delegate      = (*pool)(nil)
	_ memberlist.AliveDelegate = (*pool)(nil)
	_ memberlist.EventDelegate = (*pool)(nil)
)

// NodeMeta implements memberlist.Delegate.
func (p *pool) NodeMeta(limit int) []byte { return p.g.host.Meta().encode(limit) }

// NotifyMsg takes a load digest.
func (p *pool) NotifyMsg(raw []byte) {
	node, load, err := decodeLoad(raw)
	switch {
	case err != nil:
		p.g.refused.say("unreadable", "load", slog.Any("error", err))
	case p.g.host.Peers()[node] == Peer{}:
		p.g.refused.say("unlisted", node, slog.String("node", node))
	default:
		p.g.members.hear(node, load)
	}
}

// GetBroadcasts has nothing to piggyback.
func (p *pool) GetBroadcasts(_, _ int) [][]byte { return nil }

// LocalState is this node's topology.
func (p *pool) LocalState(bool) []byte { return encodeState(p.g.cfg.Node, p.g.host.Topology()) }

// MergeRemoteState takes another node's topology, if that node is listed.
func (p *pool) MergeRemoteState(raw []byte, _ bool) {
	from, encoded, err := decodeState(raw)
	switch {
	case err != nil:
		p.g.refused.say("unreadable", "state", slog.Any("error", err))
	case p.g.host.Peers()[from] == Peer{}:
		p.g.refused.say("unlisted", from, slog.String("node", from))
	case len(encoded) > 0:
		p.g.host.Hear(from, encoded)
	}
}

// NotifyAlive refuses a node that is not for this pool.
func (p *pool) NotifyAlive(n *memberlist.Node) error {
	if n.Name == p.g.cfg.Node {
		return nil
	}
	meta, err := decodeMeta(n.Meta)
	peer := p.g.host.Peers()[n.Name]
	reason := ""
	switch {
	case err != nil:
		reason = "unreadable"
	case peer == Peer{}:
		reason = "unlisted"
	case peer.Datacenter != meta.Datacenter || !p.covers(peer):
		reason = "moved"
	}
	if reason == "" {
		return nil
	}
	p.g.refused.say(reason, n.Name, slog.String("node", n.Name), slog.String("address", n.Address()), slog.String("datacenter", meta.Datacenter))
	return errors.New(explanation[reason])
}

// NotifyJoin implements memberlist.EventDelegate.
func (p *pool) NotifyJoin(n *memberlist.Node) { p.heard(n, Alive) }

// NotifyUpdate implements memberlist.EventDelegate.
func (p *pool) NotifyUpdate(n *memberlist.Node) { p.heard(n, Alive) }

// NotifyLeave implements memberlist.EventDelegate.
func (p *pool) NotifyLeave(n *memberlist.Node) { p.heard(n, Dead) }

func (p *pool) heard(n *memberlist.Node, state State) {
	if n.Name == p.g.cfg.Node {
		return
	}
	meta, _ := decodeMeta(n.Meta) // NotifyAlive could
	if was := p.g.members.alive(p.kind, n.Name); was != (state == Alive) {
		p.g.cfg.Log.Info("a node is "+state.String(), slog.String("node", n.Name), slog.String("pool", string(p.kind)))
	}
	p.g.members.note(p.kind, *n, state, meta)
	if meta.Topology.Compare(p.g.host.Meta().Topology) > 0 {
		select {
		case p.fetch <- struct{}{}:
		default: // it will look anyway
		}
	}
}
