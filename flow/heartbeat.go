package flow

import (
	"context"
	"log/slog"
	"time"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/checkpoint/mm2"
	"github.com/meshd/meshd/kafka"
)

// beatShard is the shard of a pair whose holder does what is done once for a pair.
const beatShard = 0

// beat writes the pair's heartbeats while this node holds its first shard. They flow back over the other links, so that a link
// that carries nothing else can be seen to work.
func (p *inflow) beat(ctx context.Context) {
	tick := time.NewTicker(p.env.intervals.Heartbeat)
	defer tick.Stop()
	made, failing := false, false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if !p.leads() {
			continue
		}
		err := p.beatOnce(ctx, &made)
		if (err != nil) != failing && ctx.Err() == nil {
			failing = err != nil
			p.sayHeartbeats(err)
		}
	}
}

func (p *inflow) sayHeartbeats(err error) {
	if err == nil {
		p.log.Info("heartbeats are written again")
		return
	}
	r := kafka.Explain(err, kafka.DestinationUnreachable)
	p.log.Warn("heartbeats can't be written", slog.String("reason", r.Code), slog.String("text", r.Text), slog.String("hint", r.Hint))
}

func (p *inflow) beatOnce(ctx context.Context, made *bool) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if !*made {
		if err := checkpoint.EnsureOwned(ctx, p.dst.Control, p.dst.brokerCount(), 1, mm2.Heartbeats); err != nil {
			return err
		}
		*made = true
	}
	err := checkpoint.WriteHeartbeat(ctx, p.dst.Control, p.Source, time.Now())
	if err != nil {
		*made = false
	}
	return err
}

// leads says whether this node does what is done once for the pair: it holds the first shard, and has met both clusters, between which there is a link.
func (p *inflow) leads() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.shards[beatShard]
	w := p.way(p.Source)
	return ok && p.ready && w != nil && w.link.Settings.MM2Heartbeats
}
