package flow

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
	"github.com/meshd/meshd/topology"
)

// places is how far the partitions of a topic have come that this node copies: those that are open.
func (p *inflow) places(topic string, partitions int) map[int32]loop.Coordinate {
	out := map[int32]loop.Coordinate{}
	for n := range int32(partitions) {
		if x := p.part(topic, n); x != nil {
			out[n] = x.lacks()
		}
	}
	return out
}

// part is a partition that this node copies; nil if it is not open here.
func (p *inflow) part(topic string, n int32) *part {
	p.mu.Lock()
	run := p.shards[topology.ShardOf(topic, n)]
	p.mu.Unlock()
	if run == nil {
		return nil
	}
	run.mu.Lock()
	defer run.mu.Unlock()
	return run.parts[checkpoint.PartitionKey(topic, n)]
}

// offered is what a way said of a partition when it was last asked.
type offered struct {
	home     bool            // it is the origin
	frontier loop.Coordinate // at the origin its end, of which it does not say the leader epoch
	first    loop.Coordinate // the origin's lowest that the way still holds, if it lost some, without its leader epoch
	gaps     loop.Gaps
	end      srcPlace // where it is not the origin: up to where its notes speak of its log, and of which leader epoch that is
}

// to is what that means for who has come to here. An origin's own end is of the highest leader epoch that was met anywhere, for all that
// there is comes from it.
func (o offered) to(here loop.Coordinate, epoch int32) loop.Offer {
	first, end := here, o.frontier
	if o.home {
		end.Incarnation, end.Epoch = max(here.Incarnation, end.Incarnation), max(here.Epoch, epoch)
	}
	switch lost := o.first; {
	case here.Incarnation == lost.Incarnation || o.home && end.Incarnation == here.Incarnation:
		first.Offset = max(here.Offset, lost.Offset)
	case here.Incarnation < lost.Incarnation && !o.home: // of the topic that was there before an origin has nothing any more, and begins with the new one
		first = lost
	}
	return loop.MakeOffer(here, end, first, o.gaps)
}

// nothing is the offer of who was never heard.
var nothing = loop.Offer{Frontier: loop.Start, Until: loop.Start}

// logs is where the logs at a way begin and end, of the partitions that this node copies.
type logs struct {
	at  map[kafka.Spot]kafka.Bounds
	err error // why it is not known of any
}

// ask asks all ways at once where their logs begin and end: a question for each topic would take a day where they are far away and many.
func (r *round) ask(ctx context.Context, found map[string][]offer) {
	r.here, r.logs = map[string]map[int32]loop.Coordinate{}, map[*way]logs{}
	if len(r.ways) == 1 {
		return
	}
	ps := map[*way][]kafka.Partition{}
	for topic, from := range found {
		most := 0
		for _, o := range from {
			most = max(most, len(o.partitions))
		}
		r.here[topic] = r.places(topic, most)
		order := slices.Sorted(maps.Keys(r.here[topic]))
		for _, o := range from {
			ps[o.way] = append(ps[o.way], o.only(order)...)
		}
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	for w, ps := range ps {
		wg.Go(func() {
			x := w.logs(ctx, ps)
			mu.Lock()
			defer mu.Unlock()
			r.logs[w] = x
		})
	}
	wg.Wait()
}

func (w *way) logs(ctx context.Context, ps []kafka.Partition) logs {
	found, err := w.Control.Bounds(ctx, ps)
	out := map[kafka.Spot]kafka.Bounds{}
	for i, p := range ps {
		if found[i].Err == nil {
			out[p.Spot()] = found[i]
		}
	}
	return logs{out, err}
}

// hear tells what a way has of a topic, for the partitions that this node copies, in their order.
func (r *round) hear(ctx context.Context, topic string, o offer, order []int32) (map[int32]offered, error) {
	all := r.logs[o.way]
	if all.err != nil {
		return nil, all.err
	}
	ps, spans := o.only(order), map[int32]kafka.Bounds{}
	for _, p := range ps {
		if s, ok := all.at[p.Spot()]; ok {
			spans[p.Number] = s
		}
	}
	if o.way.Alias == r.Source {
		return atHome(spans, r.present(topic, o)), nil
	}
	return o.atHub(ctx, topic, ps, spans)
}

// present is the incarnation of the topic that is at the origin now, as far as it is listed there.
func (r *round) present(topic string, o offer) int32 {
	all := o.way.theirs.Incarnations(topic)
	if len(all) == 0 || all[len(all)-1].TopicID != o.id() {
		return 0
	}
	return all[len(all)-1].Number
}

func atHome(spans map[int32]kafka.Bounds, incarnation int32) map[int32]offered {
	out := map[int32]offered{}
	for n, s := range spans {
		out[n] = offered{
			home: true, frontier: loop.Coordinate{Incarnation: incarnation, Epoch: -1, Offset: s.End}, first: loop.Coordinate{Incarnation: incarnation, Epoch: -1, Offset: s.Start},
		}
	}
	return out
}

func (o offer) atHub(ctx context.Context, topic string, ps []kafka.Partition, spans map[int32]kafka.Bounds) (map[int32]offered, error) {
	out := map[int32]offered{}
	err := o.way.held.with(ctx, func(h *checkpoint.Holdings) error {
		for _, at := range ps {
			s, there := spans[at.Number]
			if !there {
				continue
			}
			x, known, err := offeredAtHub(h, topic, at, s)
			if err != nil {
				return err
			}
			if known {
				out[at.Number] = x
			}
		}
		return nil
	})
	return out, err
}

// offeredAtHub is what a cluster's writer noted of a partition. Where the log is not the one of which it speaks, it does not know yet what
// was lost.
func offeredAtHub(h *checkpoint.Holdings, topic string, at kafka.Partition, log kafka.Bounds) (offered, bool, error) {
	prog, ok := h.Progress(topic, at.Number)
	if !ok || prog.DstID != at.TopicID || log.End < int64(prog.Dest) {
		return offered{}, false, nil
	}
	first, err := firstAt(h.Maps, topic, at.Number, offsetxlate.Dest(log.Start))
	end := srcPlace{offsetxlate.Source(prog.Dest), prog.DestEpoch}
	return offered{frontier: prog.Frontier(), first: first, gaps: prog.Gaps, end: end}, err == nil, err
}

// only are those of some partitions that there are.
func (o offer) only(order []int32) (out []kafka.Partition) {
	for _, p := range o.partitions {
		if _, wanted := slices.BinarySearch(order, p.Number); wanted {
			out = append(out, p)
		}
	}
	return out
}
