package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"slices"
	"time"

	"github.com/meshd/meshd/internal/wire"
)

// row is what a tool gave in a cell: the median of its runs.
type row struct {
	Cell   string        `json:"cell"`
	About  string        `json:"about"`
	Tool   string        `json:"tool"`
	Median measurement   `json:"median,omitempty"`
	Runs   []measurement `json:"runs,omitempty"`
	Failed string        `json:"failed,omitempty"` // why there is no result
	cell   cell
}

// runCell runs every tool in a cell, in turn and as often as the cell says: what the machine does beside it hits all of them. A
// tool that fails is left out from then on. The error is one that ends the whole run, or a copy that is not its source.
func (b *bench) runCell(ctx context.Context, c cell, chosen []tool) ([]row, error) {
	chosen = slices.DeleteFunc(slices.Clone(chosen), func(t tool) bool { return !c.takes(t) })
	if len(chosen) == 0 {
		return nil, nil
	}
	rows := make([]row, len(chosen))
	for i, t := range chosen {
		rows[i] = row{Cell: c.name, About: c.about, Tool: t.name, cell: c}
	}
	done, err := b.prepare(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("preparing %s: %w", c.name, err)
	}
	defer done()
	var wrong error
	for n := range c.repeat {
		for i, t := range chosen {
			if rows[i].Failed == "" && (n == 0 || !t.slow) {
				wrong = errors.Join(wrong, b.runTool(ctx, t, c, &rows[i]))
			}
			if ctx.Err() != nil {
				return rows, context.Cause(ctx)
			}
		}
	}
	return rows, wrong
}

// prepare makes what the runs of a cell have in common.
func (b *bench) prepare(ctx context.Context, c cell) (done func(), err error) {
	if c.kind != throughput && c.kind != naming {
		return func() {}, nil
	}
	log.Printf("%s: producing %s records", c.name, comma(c.records))
	if err := fill(ctx, b.from, c.topic(), c.workload); err != nil {
		return nil, err
	}
	far := wire.Delayed(oneWay)
	if c.distant {
		if _, err = far.Forward(b.from.distant, b.from.outside); err != nil {
			return nil, err
		}
	}
	return func() {
		far.Close()
		dropTopics(ctx, b.from, c.topic())
	}, nil
}

// oneWay is how long a byte takes to or from the source cluster where it is distant.
const oneWay = 50 * time.Millisecond

func (b *bench) runTool(ctx context.Context, t tool, c cell, r *row) error {
	m, err := b.measure(ctx, t, c)
	if err != nil {
		log.Printf("%s %s: %v", c.name, t.name, err)
		r.Failed = err.Error()
	}
	if m != nil {
		log.Printf("%s %s: %s", c.name, t.name, m)
		r.Runs = append(r.Runs, m)
		r.Median = median(r.Runs)
	}
	if errors.Is(err, errWrong) {
		return fmt.Errorf("%s %s: %w", c.name, t.name, err)
	}
	return nil
}

func (b *bench) measure(ctx context.Context, t tool, c cell) (measurement, error) {
	switch c.kind {
	case latency:
		return b.latency(ctx, t, c)
	case start:
		return b.start(ctx, t, c)
	case kill:
		return b.kill(ctx, t, c)
	case groups:
		return b.groups(ctx, t, c)
	case idle:
		return b.idle(ctx, t, c)
	case beside:
		return b.beside(ctx, t, c)
	default:
		return b.throughput(ctx, t, c.topic(), c)
	}
}
