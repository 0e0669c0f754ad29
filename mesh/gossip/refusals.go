package gossip

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// refusals counts what is refused, and logs each kind of it once a minute: who is refused tries again many times a second.
type refusals struct {
	log     *slog.Logger
	metrics *metrics
	mu      sync.Mutex
	said    map[string]time.Time
}

const (
	sayAgain = time.Minute
	maxSaid  = 1000 // kinds that are remembered: some come from outside
)

func (r *refusals) say(reason, kind string, attrs ...slog.Attr) {
	r.metrics.refused.WithLabelValues(reason).Inc()
	if !r.due(reason + " " + kind) {
		return
	}
	attrs = append([]slog.Attr{slog.String("reason", explanation[reason])}, attrs...)
	r.log.LogAttrs(context.Background(), slog.LevelWarn, "refusing gossip", attrs...)
}

func (r *refusals) due(kind string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if last, ok := r.said[kind]; ok && now.Sub(last) < sayAgain {
		return false
	}
	if len(r.said) >= maxSaid {
		clear(r.said)
	}
	r.said[kind] = now
	return true
}

// explanation has the reasons of meshd_gossip_refused_total in words.
var explanation = map[string]string{
	"mesh":       "it belongs to another mesh: an address in one of the topologies is wrong",
	"datacenter": "it belongs to another datacenter's pool: the nodes' topologies differ in where a node is",
	"unlabelled": "it is not meshd's",
	"unlisted":   "the topology does not list the node",
	"moved":      "the node says that it is in another datacenter than the topology says",
	"unreadable": "it can't be decoded: is one of the nodes much newer?",
}
