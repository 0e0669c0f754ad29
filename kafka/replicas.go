package kafka

import (
	"context"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TooFew finds those of ps with fewer replicas in sync than their min.insync.replicas: their leaders refuse what waits for all
// replicas, and the markers of transactions with it. Where a topic's settings may not be read, one replica is taken for enough.
func (c *Cluster) TooFew(ctx context.Context, ps []Partition) (map[Spot]Reason, error) {
	names := topicNames(ps)
	inSync, err := c.inSync(ctx, names)
	if err != nil {
		return nil, err
	}
	least, err := c.minInSync(ctx, names)
	if err != nil {
		return nil, err
	}
	out := map[Spot]Reason{}
	for _, p := range ps {
		if n, ok := inSync[p.Spot()]; ok && n < least[p.Topic] {
			out[p.Spot()] = Because(TooFewReplicas, fmt.Sprintf("%s has %d replicas in sync, and takes records only with %d", p, n, least[p.Topic]),
				"start the brokers that hold its other replicas, or lower min.insync.replicas of "+p.Topic)
		}
	}
	return out, nil
}

func topicNames(ps []Partition) (names []string) {
	for i, p := range ps {
		if i == 0 || ps[i-1].Topic != p.Topic {
			names = append(names, p.Topic)
		}
	}
	return names
}

// inSync is the number of replicas in sync of each partition that has a leader.
func (c *Cluster) inSync(ctx context.Context, topics []string) (map[Spot]int, error) {
	resp, err := c.metadata(ctx, topics...)
	if err != nil {
		return nil, err
	}
	out := map[Spot]int{}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if t.Topic != nil && p.Leader >= 0 {
				out[Spot{*t.Topic, p.Partition}] = len(p.ISR)
			}
		}
	}
	return out, nil
}

// minInSync is min.insync.replicas of each topic.
func (c *Cluster) minInSync(ctx context.Context, topics []string) (map[string]int, error) {
	resp, err := c.anywhere(ctx, func() kmsg.Request {
		req := kmsg.NewPtrDescribeConfigsRequest()
		for _, t := range topics {
			r := kmsg.NewDescribeConfigsRequestResource()
			r.ResourceType, r.ResourceName, r.ConfigNames = kmsg.ConfigResourceTypeTopic, t, []string{"min.insync.replicas"}
			req.Resources = append(req.Resources, r)
		}
		return req
	})
	if err != nil {
		return nil, fmt.Errorf("reading min.insync.replicas at cluster %s: %w", c.Config.Alias, err)
	}
	out := map[string]int{}
	for _, r := range resp.(*kmsg.DescribeConfigsResponse).Resources {
		if kerr.ErrorForCode(r.ErrorCode) != nil {
			continue
		}
		for _, kv := range r.Configs {
			if kv.Value != nil {
				out[r.ResourceName], _ = strconv.Atoi(*kv.Value)
			}
		}
	}
	return out, nil
}

// EpochEnds asks the leaders where a leader epoch ended in their logs: the partition's end, where it is the present one. Partitions that
// gave no answer are left out.
func (c *Cluster) EpochEnds(ctx context.Context, epochs map[Spot]int32) (map[Spot]int64, error) {
	req := make(map[string]map[int32]int32)
	for s, epoch := range epochs {
		if req[s.Topic] == nil {
			req[s.Topic] = map[int32]int32{}
		}
		req[s.Topic][s.Number] = epoch
	}
	answers, err := c.Admin.OffsetForLeaderEpoch(ctx, req)
	if err != nil && len(answers) == 0 { // a leader that does not answer takes nothing from what the others said
		return nil, fmt.Errorf("asking cluster %s where leader epochs ended: %w", c.Config.Alias, err)
	}
	out := map[Spot]int64{}
	for topic, ps := range answers {
		for n, a := range ps {
			if a.Err == nil && a.EndOffset >= 0 {
				out[Spot{topic, n}] = a.EndOffset
			}
		}
	}
	return out, nil
}
