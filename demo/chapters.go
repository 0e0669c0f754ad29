package demo

import (
	"context"
	"fmt"
	"time"
)

// story is what happens, in what order.
type story struct {
	*world
	*screen
	duration  time.Duration
	announced int // records that the group was said to read again
}

// chapter is a part of the story.
type chapter struct {
	title     string
	share     float64 // of the whole time, that it takes at least
	act       func(context.Context) error
	what, why string // what happens, and why that matters to somebody on call
}

func (s *story) chapters() []chapter {
	if s.naming == Identity {
		return s.identityChapters()
	}
	return []chapter{
		{
			"1. Everybody writes, and everybody has everything", 0.2, s.flowing,
			"In each datacenter an application writes orders. meshd copies them to the two others: orders of us is us.orders in eu and in ap.",
			"Whoever needs all orders reads them where they are: the group billing reads all three topics, in us for now.",
		},
		{
			"2. A node dies", 0.12, s.nodeDies,
			"eu-1 is killed at work and hands nothing over. One node of two is no majority, so nobody can elect; eu-2 sees in Kafka that eu-1 stands still.",
			"Nobody has to get up: what was half written is neither lost nor written twice.",
		},
		{
			"3. A datacenter goes silent", 0.12, s.datacenterDies,
			"us is gone: brokers, nodes, writer and billing. Nothing is refused, nothing answers.",
			"eu and ap need no vote of us, so there is time to look before anything is decided.",
		},
		{
			"4. The group goes on elsewhere", 0.18, s.groupMoves,
			"billing is started in eu, as it would be anywhere. Its commits have been translated to there every second.",
			"Nobody looks up offsets at night, and what will be read again is known before it starts.",
		},
		{
			"5. The datacenter is back", 0.14, s.datacenterReturns,
			"us returns with what it had on disk. What was written there last and had not left flows on, what it missed flows in.",
			"Nobody has to choose a side that wins: nothing is truncated.",
		},
		{
			"6. The group goes home", 0.14, s.groupReturns,
			"billing stops in eu, and starts in us when its last commit has arrived there.",
			"The way back is the same as the way there, so it can be walked on a quiet afternoon, and practised.",
		},
		{
			"7. Every record is counted", 0, s.settle,
			"The writers stop, billing reads to the end, and all logs of all clusters are read from the first record to the last.",
			"What follows is counted from the records, not from what meshd says of itself.",
		},
	}
}

func (s *story) tell(ctx context.Context) error {
	for _, c := range s.chapters() {
		began := time.Now()
		s.chapter(c.title, c.what, c.why)
		if err := c.act(ctx); err != nil {
			return fmt.Errorf("chapter %q: %w", c.title, err)
		}
		if err := stay(ctx, time.Duration(c.share*float64(s.duration))-time.Since(began)); err != nil {
			return err
		}
	}
	return nil
}

// stay leaves time to look.
func stay(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}
