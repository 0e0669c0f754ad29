package flow

import (
	"time"

	"github.com/meshd/meshd/kafka"
)

// The part's side of the shard. None of it takes mu: see asks.

func (s *shard) needNote(p *part) {
	s.asks.Lock()
	s.notes[p] = struct{}{}
	s.asks.Unlock()
	s.poke()
}

func (s *shard) partFailed(err error) {
	s.asks.Lock()
	if s.broken == nil {
		s.broken = err
	}
	s.asks.Unlock()
	s.poke()
}

func (s *shard) partStuck(p *part, why kafka.Reason) {
	s.asks.Lock()
	s.stuck[p] = why
	s.asks.Unlock()
	s.poke()
}

func (s *shard) outOfRange(p *part) {
	s.asks.Lock()
	s.ranges[p] = struct{}{}
	s.asks.Unlock()
	s.poke()
}

func (s *shard) staleSource(p *part) { p.src.Dir.Stale() }

func (s *shard) wakeFetch(p *part) { p.src.Fetcher.wakeFor(p) }

func (s *shard) needRegistry(p *part) { p.src.registered.ask(p.src.aside, p.registryRead) }

func (s *shard) acked(p *part, stamp int64) {
	s.env.observer.Arrived(s.id, p.Spec, time.Since(time.UnixMilli(stamp)))
}
