package flow

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/meshd/meshd/kafka"
)

const (
	tellEvery = time.Second
	tellEach  = 5 // of a kind with one reason, a line for each; more are summed up
)

// place is what can stand still: a shard, a topic, its configs, or a partition.
type place struct {
	kind   string
	topic  string
	number int32 // of the shard or the partition
	shard  int   // of a partition
}

// The kinds of places, as the log names them.
const (
	kindShard     = "shard"
	kindTopic     = "topic"
	kindConfigs   = "configs of topic"
	kindPartition = "partition"
)

// tell logs what of a pair stands still, and what goes on again. A part of a second is not told: what is tried again at once, or
// comes and goes, would fill the log.
func (p *inflow) tell(ctx context.Context) {
	t := teller{log: p.log, told: map[place]kafka.Reason{}}
	tick := time.NewTicker(tellEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			t.look(p.standing(), p.goesOn)
		case <-ctx.Done():
			return
		}
	}
}

// standing is all that stands still, by itself: what stands still because of its shard is told by the shard alone.
func (p *inflow) standing() map[place]kafka.Reason {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := map[place]kafka.Reason{}
	for name, t := range p.topics {
		if t.Reason != nil {
			out[place{kind: kindTopic, topic: name}] = *t.Reason
		}
		if t.Drift != nil {
			out[place{kind: kindConfigs, topic: name}] = *t.Drift
		}
	}
	for _, r := range p.shards {
		r.standing(out)
	}
	return out
}

func (s *shard) standing(out map[place]kafka.Reason) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reason.Code != "" {
		out[place{kind: kindShard, number: int32(s.id.Number)}] = s.reason
		return
	}
	for key, spec := range s.want {
		r := s.blocked[key]
		if part := s.parts[key]; part != nil {
			r = part.why()
		}
		if r.Code != "" {
			out[place{kindPartition, spec.Topic, spec.Number, s.id.Number}] = r
		}
	}
}

// goesOn says whether something that does not stand still any more is still here, and not merely gone.
func (p *inflow) goesOn(at place) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.shards[int(at.number)]
	switch at.kind {
	case kindPartition:
		if r = p.shards[at.shard]; r == nil {
			return false
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.parts[Spec{Topic: at.topic, Number: at.number}.Key()] != nil
	case kindShard:
		return r != nil
	}
	_, ok := p.topics[at.topic]
	return ok
}

// why is the reason for which a part does not go on; none if it does.
func (p *part) why() kafka.Reason {
	if _, err := p.outlet.Trouble(); err != nil {
		return kafka.Explain(err, kafka.DestinationUnreachable)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reason
}

// teller remembers what the log says.
type teller struct {
	log    *slog.Logger
	before map[place]kafka.Reason // at the last look
	told   map[place]kafka.Reason
}

// look tells what two looks in a row have found.
func (t *teller) look(now map[place]kafka.Reason, here func(place) bool) {
	stands, goes := map[place]kafka.Reason{}, map[place]kafka.Reason{}
	for at, r := range now {
		if kafka.Alike(t.before[at], r) && !kafka.Alike(t.told[at], r) {
			stands[at] = r
		}
	}
	for at, r := range t.told {
		_, still := now[at]
		_, lately := t.before[at]
		if still || lately {
			continue
		}
		delete(t.told, at)
		if here(at) {
			goes[at] = r
		}
	}
	maps.Copy(t.told, stands)
	t.before = now
	t.say(slog.LevelWarn, "does not go on", stands)
	t.say(slog.LevelInfo, "goes on again", goes)
}

// say writes a line for each, or one for all of a kind that have one reason where those are many.
func (t *teller) say(level slog.Level, what string, news map[place]kafka.Reason) {
	type sort struct{ kind, code string }
	by := map[sort][]place{}
	for at, r := range news {
		by[sort{at.kind, r.Code}] = append(by[sort{at.kind, r.Code}], at)
	}
	for s, places := range by {
		slices.SortFunc(places, func(a, b place) int {
			return cmp.Or(strings.Compare(a.topic, b.topic), cmp.Compare(a.number, b.number))
		})
		if len(places) > tellEach {
			t.line(level, fmt.Sprintf("%s: of %d this is the first: %s", s.kind, len(places), what), places[0], news)
			continue
		}
		for _, at := range places {
			t.line(level, s.kind+" "+what, at, news)
		}
	}
}

func (t *teller) line(level slog.Level, text string, at place, news map[place]kafka.Reason) {
	var attrs []slog.Attr
	if at.topic != "" {
		attrs = append(attrs, slog.String("topic", at.topic))
	}
	switch at.kind {
	case kindShard:
		attrs = append(attrs, slog.Int("shard", int(at.number)))
	case kindPartition:
		attrs = append(attrs, slog.Int("partition", int(at.number)))
	}
	r := news[at]
	attrs = append(attrs, slog.String("reason", r.Code))
	if level >= slog.LevelWarn {
		attrs = append(attrs, slog.String("text", r.Text), slog.String("hint", r.Hint))
	}
	t.log.LogAttrs(context.Background(), level, text, attrs...)
}

// steppedOver records that a part went on behind offsets that could not be had from the source.
func (s *shard) steppedOver(spec Spec, from, to int64, why, hint string) {
	s.log.Warn("gap: "+why, slog.String("topic", spec.Topic), slog.Int("partition", int(spec.Number)),
		slog.Int64("from", from), slog.Int64("to", to-1), slog.String("hint", hint))
}
