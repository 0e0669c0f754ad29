package groups

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// plainTime is how old a look may be when a group is set on the strength of it.
const plainTime = 2 * time.Second

// PlacePlain sets groups without a transaction, for clusters that do not grant the transactional id. Kafka refuses it for a group
// with members. But a consumer that only assigns may commit between the look and ours, up to 2 s, and that commit is then
// overwritten; partitions are set one by one, so a group that has failed may have been set in some; and records are not written.
// Whoever calls it has to say so.
func (c *Cluster) PlacePlain(ctx context.Context, placements []Placement) []Result {
	jobs := newJobs(placements)
	for _, batch := range batches(moving(undecided(jobs))) {
		c.plainBatch(ctx, batch)
	}
	for _, j := range undecided(jobs) {
		j.fail(fmt.Errorf("group %s has a record only: %w", j.Placement.Group, ErrNoTransactions))
	}
	return results(jobs)
}

func (c *Cluster) plainBatch(ctx context.Context, jobs []*job) {
	ctx, cancel := context.WithTimeout(ctx, plainTime)
	defer cancel()
	c.look(ctx, jobs, true)
	var wg sync.WaitGroup
	for _, j := range undecided(jobs) {
		wg.Go(func() { c.plain(ctx, j) })
	}
	wg.Wait()
}

func (c *Cluster) plain(ctx context.Context, j *job) {
	at, failed := c.coordinators(ctx, []string{j.Placement.Group})
	err := failed[j.Placement.Group]
	unsure := false
	if err == nil {
		var resp *kmsg.OffsetCommitResponse
		resp, err = ask[*kmsg.OffsetCommitResponse](ctx, c, at[j.Placement.Group], plainCommit(j.Placement))
		unsure = err != nil
		if err == nil {
			err = firstRefused(resp)
		}
	}
	if err == nil {
		j.Outcome = Placed
		return
	}
	c.forget(j.Placement.Group)
	j.fail(fmt.Errorf("committing offsets of group %s: %w", j.Placement.Group, err))
	if unsure {
		j.Outcome = Unsure
	}
}

func plainCommit(at Placement) kmsg.Request {
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group = at.Group
	for topic, places := range byTopic(at.Places) {
		t := kmsg.NewOffsetCommitRequestTopic()
		t.Topic = topic
		for _, place := range places {
			part := kmsg.NewOffsetCommitRequestTopicPartition()
			part.Partition, part.Offset, part.LeaderEpoch, part.Metadata = place.Number, place.Offset, -1, &place.Metadata
			t.Partitions = append(t.Partitions, part)
		}
		req.Topics = append(req.Topics, t)
	}
	return pinned{req, maxOffsetCommit}
}

func firstRefused(resp *kmsg.OffsetCommitResponse) error {
	for _, t := range resp.Topics {
		for _, part := range t.Partitions {
			if err := kerr.ErrorForCode(part.ErrorCode); err != nil {
				return fmt.Errorf("%s: %w", Partition{t.Topic, part.Partition}, err)
			}
		}
	}
	return nil
}
