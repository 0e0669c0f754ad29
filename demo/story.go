package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/meshd/meshd/topology"
)

// story is what happens, in what order.
type story struct {
	*world
	*screen
	duration  time.Duration
	announced int // records that the group was said to read again
}

// chapter is a part of the story, and how much of the whole it takes at least.
type chapter struct {
	title, what, why string
	share            float64
	act              func(context.Context) error
}

func (s *story) chapters() []chapter {
	return []chapter{
		{
			"1. Everybody writes, everybody has everything",
			"In each datacenter an application writes orders, and meshd copies them to the two others: topic orders of us is us.orders there.",
			"The group billing reads all three topics in us. What it commits is translated for eu and ap every second.",
			0.2, s.flowing,
		},
		{
			"2. A node dies",
			"eu-1 is killed at work: it hands nothing over. eu-2 takes its shards, and Kafka shuts out whatever eu-1 had under way.",
			"You may sleep: what was half written is neither lost nor written twice.",
			0.12, s.nodeDies,
		},
		{
			"3. A datacenter goes silent",
			"us is gone: brokers, nodes, writer and billing. Nothing is refused, nothing answers.",
			"eu and ap go on: no vote of us is needed for anything.",
			0.12, s.datacenterDies,
		},
		{
			"4. The group goes on elsewhere",
			"billing starts in eu, at the records where it stood in us.",
			"Nobody looks for offsets by hand, and nobody resets a group to the beginning.",
			0.18, s.groupMoves,
		},
		{
			"5. The datacenter is back",
			"us returns with what it had. What was written there at the end and had not left flows on; what it missed flows in.",
			"Nothing is truncated to make both sides agree: there is nothing to disagree about.",
			0.14, s.datacenterReturns,
		},
		{
			"6. The group goes home",
			"billing stops in eu and starts in us when its last commit has arrived there.",
			"The way back is the way there, the other way round. It is not a project.",
			0.14, s.groupReturns,
		},
		{
			"7. Every record is counted",
			"The writers stop, billing reads to the end, and then all logs of all clusters are read from their first record to their last.",
			"What follows is counted from the records themselves, not from what meshd says.",
			0, s.settle,
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

func (s *story) flowing(ctx context.Context) error {
	if err := s.begin(); err != nil {
		return err
	}
	err := await(ctx, "all topics are copied everywhere", func(context.Context) (bool, error) { return s.state().running(), nil })
	if err != nil {
		return err
	}
	s.say("All six copies run.")
	return s.groupKnown(ctx)
}

// groupKnown awaits that the group has a place in eu and ap for every partition.
func (s *story) groupKnown(ctx context.Context) error {
	for _, a := range []topology.Alias{"eu", "ap"} {
		err := await(ctx, fmt.Sprintf("group %s has its places in %s", group, a), func(ctx context.Context) (bool, error) {
			n, err := s.uncovered(ctx, a)
			return err == nil && n < s.billing.progress().distinct, err
		})
		if err != nil {
			return err
		}
	}
	s.say("billing could go on in eu or ap at any time.")
	return nil
}

func (s *story) nodeDies(ctx context.Context) error {
	before := s.state().at("eu")
	began := time.Now()
	s.plane.Kill("eu-1")
	s.say("eu-1 is dead.")
	err := await(ctx, "eu-2 copies what eu-1 did", func(context.Context) (bool, error) {
		now := s.state().at("eu")
		for o, f := range now.from {
			if !f.running() || f.arrived <= before.from[o].arrived {
				return false, nil
			}
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	s.say("eu-2 copies what eu-1 did, after %.1f s.", time.Since(began).Seconds())
	if err := s.plane.Start("eu-1"); err != nil {
		return err
	}
	s.say("eu-1 is back and stands by.")
	return nil
}

func (s *story) datacenterDies(ctx context.Context) error {
	before := s.state()
	s.lose("us")
	s.billing.die()
	s.say("us is silent. It took billing along.")
	return await(ctx, "eu and ap copy each other's orders without us", func(context.Context) (bool, error) {
		now := s.state()
		eu, ap := now.at("eu").from["ap"], now.at("ap").from["eu"]
		return eu.arrived > before.at("eu").from["ap"].arrived+perSecond && ap.arrived > before.at("ap").from["eu"].arrived+perSecond &&
			now.at("eu").from["us"].trouble != "", nil
	})
}

func (s *story) groupMoves(ctx context.Context) error {
	if err := s.rounds(ctx, "eu", 2); err != nil {
		return err
	}
	if err := s.announce(ctx, "eu"); err != nil {
		return err
	}
	return s.goOn(ctx, "eu")
}

// rounds awaits that so many group syncs at a cluster end from now on. One that is under way may still place what it read earlier.
func (s *story) rounds(ctx context.Context, a topology.Alias, n int) error {
	last := s.syncedAt(a)
	return await(ctx, fmt.Sprintf("the groups of %s were synced", a), func(context.Context) (bool, error) {
		if at := s.syncedAt(a); at.After(last) {
			last = at
			n--
		}
		return n <= 0, nil
	})
}

// announce says before the group starts at a cluster how many records it will read again there, at most.
func (s *story) announce(ctx context.Context, a topology.Alias) error {
	n, err := s.uncovered(ctx, a)
	if err != nil {
		return err
	}
	s.announced += n
	if n == 0 {
		s.say("All that billing read is behind its place in %s: it will read nothing again.", a)
		return nil
	}
	s.say("%s records that billing read last had no commit that reached %s: it will read these again.", count(n), a)
	return nil
}

func (s *story) goOn(ctx context.Context, a topology.Alias) error {
	if err := s.billing.start(a); err != nil {
		return err
	}
	err := await(ctx, fmt.Sprintf("billing reads in %s", a), func(context.Context) (bool, error) { return s.billing.progress().here > 0, nil })
	if err == nil {
		s.say("billing reads in %s.", a)
	}
	return err
}

func (s *story) datacenterReturns(ctx context.Context) error {
	if err := s.recover("us"); err != nil {
		return err
	}
	s.say("us is back.")
	err := await(ctx, "all copies run again and billing is up to date", func(context.Context) (bool, error) {
		now := s.state()
		return now.running() && now.total-now.group.distinct < perSecond, nil
	})
	if err == nil {
		s.say("All six copies run again, in both directions.")
	}
	return err
}

func (s *story) groupReturns(ctx context.Context) error {
	s.billing.stop()
	s.say("billing has stopped in eu.")
	began := time.Now()
	err := await(ctx, "billing's last commit has arrived in us", func(ctx context.Context) (bool, error) {
		n, err := s.uncovered(ctx, "us")
		return err == nil && n == 0, err
	})
	if err != nil {
		return err
	}
	s.say("Its last commit has arrived in us, after %.1f s.", time.Since(began).Seconds())
	if err := s.announce(ctx, "us"); err != nil {
		return err
	}
	return s.goOn(ctx, "us")
}

// settle ends the writing and lets everything arrive. What does not arrive is for the verdict to say, not for this.
func (s *story) settle(ctx context.Context) error {
	for _, a := range s.topo.Aliases() {
		if err := s.writers[a].stop(ctx); err != nil {
			return fmt.Errorf("finishing what %s writes: %w", a, err)
		}
	}
	s.say("Nobody writes any more.")
	err := await(ctx, "everything has arrived and was read", func(ctx context.Context) (bool, error) {
		if now := s.state(); now.group.distinct < now.total {
			return false, nil
		}
		v, err := s.verdict(ctx)
		return err == nil && v.OK(), err
	})
	if err != nil && ctx.Err() != nil {
		return err
	}
	s.billing.stop()
	return nil
}

func (s *story) verdict(ctx context.Context) (Verdict, error) {
	e, err := s.evidence(ctx, s.announced)
	if err != nil {
		return Verdict{}, err
	}
	return judge(e), nil
}
