package raftstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"

	"github.com/meshd/meshd/raftstore/state"
)

const stateFile = "state.json"

// published is the state as others see it. It begins with what state.json holds and only moves forward: while raft replays its log
// after a restart it stays where it was.
type published struct {
	dir *Dir
	log *slog.Logger

	mu       sync.Mutex
	index    uint64
	state    state.State
	changed  chan struct{} // closed at the next change
	watchers map[chan struct{}]struct{}
}

func openPublished(dir *Dir, log *slog.Logger) (*published, error) {
	p := &published{dir: dir, log: log, changed: make(chan struct{}), watchers: map[chan struct{}]struct{}{}}
	raw, err := dir.ReadFile(stateFile)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err == nil {
		p.index, p.state, err = decodeSaved(raw)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s in %s: %w", stateFile, dir.path, err)
	}
	return p, nil
}

// set takes a state of raft's. The file is written first, so that nothing is done by an assignment that a restart would not find.
func (p *published) set(index uint64, s state.State) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if index <= p.index {
		return
	}
	raw, err := encodeSaved(index, s)
	if err == nil {
		err = p.dir.WriteFile(stateFile, raw)
	}
	if err != nil { // raft has it; only a restart would begin with an older one, which what stands in Kafka makes harmless
		p.log.Error("keeping the state for a restart", slog.Any("error", err))
	}
	p.index, p.state = index, s
	p.signal()
}

// signal wakes all who wait or watch. The lock is held.
func (p *published) signal() {
	close(p.changed)
	p.changed = make(chan struct{})
	for w := range p.watchers {
		select {
		case w <- struct{}{}:
		default: // it has yet to take the last one
		}
	}
}

func (p *published) get() (state.State, uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state, p.index
}

func (p *published) wait(ctx context.Context, index uint64) error {
	for {
		p.mu.Lock()
		reached, changed := p.index >= index, p.changed
		p.mu.Unlock()
		if reached {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("waiting for raft index %d: %w", index, context.Cause(ctx))
		}
	}
}

func (p *published) watch() (<-chan struct{}, func()) {
	w := make(chan struct{}, 1)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watchers[w] = struct{}{}
	return w, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.watchers, w)
	}
}

func (p *published) nudge() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.signal()
}
