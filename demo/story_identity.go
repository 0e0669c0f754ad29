package demo

import (
	"context"
	"fmt"
	"time"
)

// identityChapters are the story of a topic that has one name everywhere. The group stays where it is: it has all there.
func (s *story) identityChapters() []chapter {
	return []chapter{
		{
			"1. One topic, and everybody writes to it", 0.2, s.flowing,
			"In each datacenter an application writes to the topic orders. meshd copies the orders to the two others, into the topic of the same name.",
			"Whoever needs all orders reads one topic, wherever that is; no application has to know of datacenters.",
		},
		{
			"2. A node dies", 0.12, s.nodeDies,
			"eu-1 is killed at work and hands nothing over. One node of two is no majority, so nobody can elect; eu-2 sees in Kafka that eu-1 stands still.",
			"Nobody has to get up: what was half written is neither lost nor written twice.",
		},
		{
			"3. A line is cut", 0.2, s.lineCut,
			"The nodes of eu don't reach us any more; ap reaches both.",
			"Each order says where it was written first. So it may come any way, and no way brings it a second time, or home.",
		},
		{
			"4. A datacenter goes silent", 0.18, s.datacenterDies,
			"us is gone: brokers, nodes, writer and billing. Nothing is refused, nothing answers.",
			"eu and ap need no vote of us. What ap has of us and eu has not, eu gets from ap.",
		},
		{
			"5. The datacenter is back", 0.2, s.datacenterReturnsWithGroup,
			"us returns with what it had on disk, and billing with it. What was written there last flows on, what it missed flows in.",
			"Nobody has to choose a side that wins: nothing is truncated, and nothing comes home that was there.",
		},
		{
			"6. Every record is counted", 0, s.settle,
			"The writers stop, billing reads to the end, and all logs of all clusters are read from the first record to the last.",
			"What follows is counted from the records, not from what meshd says of itself.",
		},
	}
}

func (s *story) lineCut(ctx context.Context) error {
	written := int64(s.state().at("us").written)
	began := time.Now()
	for _, n := range s.nodesOf("eu") {
		s.clusters.Sever(clientID(n), "us")
	}
	s.say("eu does not reach us any more.")
	err := await(ctx, "orders of us come to eu by way of ap", func(context.Context) (bool, error) {
		return s.state().at("eu").from["us"].arrived > written+perSecond, nil
	})
	if err != nil {
		return err
	}
	s.say("Orders of us that were written since are in eu, %.1f s after: they came by way of ap.", time.Since(began).Seconds())
	for _, n := range s.nodesOf("eu") {
		s.clusters.Join(clientID(n), "us")
	}
	s.say("The line is mended.")
	return nil
}

func (s *story) datacenterReturnsWithGroup(ctx context.Context) error {
	if err := s.recover("us"); err != nil {
		return err
	}
	s.say("us is back.")
	if err := s.announce(ctx, "us"); err != nil {
		return err
	}
	if err := s.goOn(ctx, "us"); err != nil {
		return err
	}
	then := s.state()
	err := await(ctx, "all copies run again and billing is up to date", func(context.Context) (bool, error) {
		now := s.state()
		return now.running(then) && now.group.distinct >= then.total, nil
	})
	if err != nil {
		return fmt.Errorf("after the return: %w", err)
	}
	s.say("All six copies run again, in both directions.")
	return nil
}
