package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/meshd/meshd/topology"
)

func (s *story) flowing(ctx context.Context) error {
	if err := s.begin(); err != nil {
		return err
	}
	err := await(ctx, "all topics are copied everywhere", func(context.Context) (bool, error) { return s.state().running(state{}), nil })
	if err != nil {
		return err
	}
	s.say("All six copies run.")
	if s.naming == Identity { // the group will not move
		return nil
	}
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
	s.nodes.kill("eu-1")
	s.say("eu-1 is dead. It copied %d of the %d partitions that come to eu.", before.nodes[0].copies, before.nodes[0].copies+before.nodes[1].copies)
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
	s.say("eu-2 copies everything, %.1f s after.", time.Since(began).Seconds())
	if err := s.nodes.start("eu-1"); err != nil {
		return err
	}
	s.say("eu-1 is started again.")
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
		noticed := s.naming == Identity || now.at("eu").from["us"].trouble != "" // with identity naming ap stands in
		return eu.arrived > before.at("eu").from["ap"].arrived+perSecond && ap.arrived > before.at("ap").from["eu"].arrived+perSecond && noticed, nil
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
	s.say("To be read again in %s: %s records, which billing has read and whose commit had not arrived there.", a, count(n))
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
	then := s.state()
	err := await(ctx, "all copies run again and billing is up to date", func(context.Context) (bool, error) {
		now := s.state()
		return now.running(then) && now.group.distinct >= then.total, nil
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
	for _, a := range places {
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
		return err == nil && v.complete(), err
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
