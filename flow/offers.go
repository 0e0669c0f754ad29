package flow

import (
	"context"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
	"github.com/meshd/meshd/topology"
)

// here is how far the partitions of a topic have come that this node copies: those that are open.
func (p *inflow) here(topic string, partitions int) map[int32]loop.Coordinate {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := map[int32]loop.Coordinate{}
	for n := range int32(partitions) {
		run := p.shards[topology.ShardOf(topic, n)]
		if run == nil {
			continue
		}
		if x := run.part(checkpoint.PartitionKey(topic, n)); x != nil {
			out[n] = x.lacks()
		}
	}
	return out
}

func (s *shard) part(key string) *part {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.parts[key]
}

// offers is what a way has of a topic, for the partitions that this node copies, in their order.
func (r *round) offers(ctx context.Context, topic string, o offer, order []int32, here map[int32]loop.Coordinate) ([]loop.Offer, error) {
	if o.way.Alias == r.Source {
		return r.ends(ctx, topic, o, order, here)
	}
	out := make([]loop.Offer, len(order))
	starts, err := r.starts(ctx, o, order)
	if err != nil {
		return nil, err
	}
	var problem error
	err = o.way.held.with(ctx, func(h *checkpoint.Holdings) {
		for i, n := range order {
			prog, ok := h.Progress(topic, n)
			if !ok {
				continue
			}
			_, first, err := lookUp(h.Maps, topic, n, here[n], starts[i])
			if err != nil {
				problem = err
				return
			}
			out[i] = loop.MakeOffer(here[n], prog.Frontier(), first, prog.Gaps)
		}
	})
	if err == nil {
		err = problem
	}
	return out, err
}

// ends is what the origin itself has.
func (r *round) ends(ctx context.Context, topic string, o offer, order []int32, here map[int32]loop.Coordinate) ([]loop.Offer, error) {
	ps := o.only(order)
	starts, err := o.way.Control.Offsets(ctx, ps, kafka.Start)
	if err != nil {
		return nil, err
	}
	ends, err := o.way.Control.Offsets(ctx, ps, kafka.End)
	if err != nil {
		return nil, err
	}
	out := make([]loop.Offer, len(order))
	for i, n := range order {
		if starts[i].Err != nil || ends[i].Err != nil {
			continue
		}
		end := loop.Coordinate{Incarnation: here[n].Incarnation, Epoch: here[n].Epoch, Offset: ends[i].At}
		first := end
		first.Offset = starts[i].At
		if now := r.present(topic, o); now > here[n].Incarnation { // it begins with the new topic at once: of the one before there is nothing any more
			end.Incarnation, end.Epoch, first = now, ps[i].LeaderEpoch, loop.Start
		}
		out[i] = loop.MakeOffer(here[n], end, first, nil)
	}
	return out, nil
}

// present is the incarnation of the topic that is at the origin now, as far as it is listed there.
func (r *round) present(topic string, o offer) int32 {
	all := o.way.theirs.Incarnations(topic)
	if len(all) == 0 || all[len(all)-1].TopicID != o.id() {
		return unlisted
	}
	return all[len(all)-1].Number
}

func (o offer) only(order []int32) []kafka.Partition {
	out := make([]kafka.Partition, len(order))
	for i, n := range order {
		for _, p := range o.partitions {
			if p.Number == n {
				out[i] = p
			}
		}
	}
	return out
}

func (r *round) starts(ctx context.Context, o offer, order []int32) ([]offsetxlate.Dest, error) {
	os, err := o.way.Control.Offsets(ctx, o.only(order), kafka.Start)
	if err != nil {
		return nil, err
	}
	out := make([]offsetxlate.Dest, len(order))
	for i := range os {
		if os[i].Err == nil {
			out[i] = offsetxlate.Dest(os[i].At)
		}
	}
	return out, nil
}
