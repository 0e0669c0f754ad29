package flow

import (
	"cmp"
	"time"

	"github.com/meshd/meshd/kafka"
)

// The part's side of the shard. None of it takes mu: see asks.

// ask notes what a part asks for, and has the loop of the shard see to it.
func (s *shard) ask(note func()) {
	s.asks.Lock()
	note()
	s.asks.Unlock()
	s.poke()
}

// taken is all that parts have asked for in one of the shard's lists, which is empty then. Nobody else has what is returned: parts go on asking
// while it is seen to.
func taken[V any](s *shard, list *map[*part]V) map[*part]V {
	s.asks.Lock()
	defer s.asks.Unlock()
	all := *list
	if len(all) == 0 {
		return nil
	}
	*list = map[*part]V{}
	return all
}

func (s *shard) needNote(p *part) { s.ask(func() { s.notes[p] = struct{}{} }) }

func (s *shard) needTurn(p *part) { s.ask(func() { s.newer[p] = struct{}{} }) }

func (s *shard) needProof(p *part) { s.ask(func() { s.unproven[p] = struct{}{} }) }

func (s *shard) outOfRange(p *part) { s.ask(func() { s.ranges[p] = struct{}{} }) }

func (s *shard) partStuck(p *part, why kafka.Reason) { s.ask(func() { s.stuck[p] = why }) }

func (s *shard) partFailed(err error) { s.ask(func() { s.broken = cmp.Or(s.broken, err) }) }

func (s *shard) staleSource(p *part) { p.src.Dir.Stale() }

func (s *shard) wakeFetch(p *part) { p.src.Fetcher.wakeFor(p) }

func (s *shard) needRegistry(p *part) { p.src.registered.ask(p.src.aside, p.registryRead) }

func (s *shard) acked(p *part, stamp int64) {
	s.env.observer.Arrived(s.id, p.Spec, time.Since(time.UnixMilli(stamp)))
}
