package admin

import (
	"slices"
	"strings"
	"time"

	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// rank orders states from good to bad: where several are one, the worst is shown.
var rank = map[flow.State]int{
	Elsewhere: -2, Paused: -1, flow.Streaming: 0, flow.CatchingUp: 1, flow.New: 2, flow.Opening: 2, flow.Draining: 3, flow.Stopped: 4,
	flow.Backoff: 5, flow.Fenced: 6, flow.Failed: 7,
}

func worse(a, b flow.State) flow.State {
	if rank[b] > rank[a] {
		return b
	}
	return a
}

func moves(s flow.State) bool { return s == flow.Streaming || s == flow.CatchingUp }

// links are all pairs that this node holds something of, and all others that the topology serves. Where no link leads from the source to the
// destination, a pair is one only if topics come over others.
func (k *tracker) links(now time.Time, s flow.Status, t *topology.Topology) []LinkStatus {
	shape := k.shapeOf(t)
	held := map[topology.Pair]bool{}
	out := make([]LinkStatus, 0, len(shape))
	for _, p := range s.Pairs {
		held[pairOf(p)] = true
		if x := shape[pairOf(p)]; x == nil || x.link != nil || len(p.Topics) > 0 || p.Reason != nil {
			out = append(out, k.linkOf(now, p, x))
		}
	}
	for p, x := range shape {
		if !held[p] && x.carried {
			out = append(out, notHeld(p, x))
		}
	}
	slices.SortFunc(out, func(a, b LinkStatus) int { return strings.Compare(a.Link, b.Link) })
	return out
}

func notHeld(p topology.Pair, x *inflow) LinkStatus {
	l := LinkStatus{Link: p.String(), Source: p.Source, Destination: p.Destination, State: Elsewhere, Via: some(x.via), Shards: []flow.ShardStatus{}}
	if x.paused {
		l.State = Paused
	}
	if x.link != nil {
		l.Name, l.Via = x.link.Name, some[topology.Alias](nil)
	}
	return l
}

func (k *tracker) linkOf(now time.Time, p flow.PairStatus, x *inflow) LinkStatus {
	l := linkOf(now, p)
	l.HopSeconds = k.pairs[pairOf(p)].seconds(now)
	for _, t := range p.Topics {
		l.Totals = l.Totals.plus(k.totals[flowKey{pairOf(p), t.Topic}])
	}
	switch {
	case x != nil && x.link != nil:
		if l.Name = x.link.Name; x.paused && x.link.Paused {
			l.State = Paused
		}
	case x != nil && len(p.Topics) == 0: // as nothing of it was read yet
		l.Via = some(x.via)
	}
	if len(l.Via) == 0 {
		l.RPOSeconds = l.HopSeconds
	}
	return l
}

// via are the clusters other than the origin at which something of it is read.
func via(p flow.PairStatus) []topology.Alias {
	var out []topology.Alias
	for _, part := range p.Partitions {
		if part.From != "" && part.From != p.Source {
			out = append(out, part.From)
		}
	}
	for _, t := range p.Topics {
		if t.From != "" && t.From != p.Source {
			out = append(out, t.From)
		}
	}
	return both(out, nil)
}

func linkOf(now time.Time, p flow.PairStatus) LinkStatus {
	l := LinkStatus{
		Link: pairOf(p).String(), Source: p.Source, Destination: p.Destination, State: flow.Streaming, Ready: p.Ready, Reason: p.Reason,
		Topics: len(p.Topics), Partitions: len(p.Partitions), LagRecords: new(int64(0)), Via: via(p), Shards: slices.Clone(p.Shards), ThrottledSeconds: p.Throttled.Seconds(),
	}
	if l.Shards == nil {
		l.Shards = []flow.ShardStatus{}
	}
	for _, part := range p.Partitions {
		l.State = worse(l.State, part.State)
		l.LagRecords = plus(l.LagRecords, lagOf(now, part))
		if moves(part.State) {
			l.Moving++
		}
	}
	for _, sh := range p.Shards {
		l.State = worse(l.State, shardState(sh))
	}
	switch {
	case p.Reason != nil:
		l.State = worse(l.State, flow.Backoff)
	case !p.Ready:
		l.State, l.LagRecords = worse(l.State, flow.Opening), nil
	}
	if p.Reason != nil && len(p.Partitions) == 0 {
		l.LagRecords = nil
	}
	if stopped(p) != nil {
		l.LagRecords = nil
	}
	l.Up = p.Ready && p.Reason == nil && (l.Moving > 0 || l.Partitions == 0 && stopped(p) == nil)
	if !l.Up && l.Reason == nil {
		l.Reason = firstReason(p)
	}
	return l
}

// shardState leaves to a shard's partitions what they say better: a shard streams while its partitions catch up.
func shardState(s flow.ShardStatus) flow.State {
	if moves(s.State) {
		return flow.Streaming
	}
	return s.State
}

// firstReason is why partitions stand still, in the words of the first.
func firstReason(p flow.PairStatus) *kafka.Reason {
	for _, s := range p.Shards {
		if s.Reason != nil {
			return s.Reason
		}
	}
	for _, part := range p.Partitions {
		if part.Reason != nil {
			return part.Reason
		}
	}
	return stopped(p)
}

// stopped is why a topic as a whole does not go on, so that there are no partitions of it; nil if none does. A topic that a person has to
// decide about was never copied, and of one that is gone nothing is left to be copied.
func stopped(p flow.PairStatus) *kafka.Reason {
	for _, t := range p.Topics {
		if t.Reason != nil && t.Reason.Code != kafka.Unclaimed && t.Reason.Code != kafka.SourceDeleted {
			return t.Reason
		}
	}
	return nil
}

const heardWithin = 10 * time.Second // a source that answers does so far more often

// lagOf is the lag of a partition; nil while it is unknown. That nothing lags is believed only while the source is heard and
// what it says can go on; any other lag is at least so large.
func lagOf(now time.Time, p flow.PartStatus) *int64 {
	heard := moves(p.State) && now.Sub(p.Stats.SeenAt) < heardWithin
	if p.Lag < 0 || p.Lag == 0 && !heard {
		return nil
	}
	return &p.Lag
}

// plus adds two numbers; the sum of a known and an unknown one is unknown.
func plus(a, b *int64) *int64 {
	if a == nil || b == nil {
		return nil
	}
	return new(*a + *b)
}
