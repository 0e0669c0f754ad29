package groups

import (
	"context"
	"fmt"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Listing is the groups of a cluster, of all types. What it doesn't show is unknown, not deleted: a broker lists only the groups
// that the caller may DESCRIBE, and one that has just started leaves out groups that it is still loading.
type Listing struct {
	Groups map[string]Group
	Failed map[int32]error // brokers that did not list theirs, COORDINATOR_LOAD_IN_PROGRESS among the reasons
}

// Complete says whether every broker has answered.
func (l Listing) Complete() bool { return len(l.Failed) == 0 }

// List asks every broker for its groups. It fails only where no list of brokers can be had.
func (c *Cluster) List(ctx context.Context) (Listing, error) {
	brokers, err := c.brokers(ctx)
	if err != nil {
		return Listing{}, fmt.Errorf("listing groups: %w", err)
	}
	var (
		wg  sync.WaitGroup
		mu  sync.Mutex
		out = Listing{Groups: make(map[string]Group), Failed: make(map[int32]error)}
	)
	for _, broker := range brokers {
		wg.Go(func() {
			groups, err := c.listOf(ctx, broker, nil)
			mu.Lock()
			defer mu.Unlock()
			out.add(broker, groups, err)
		})
	}
	wg.Wait()
	c.remember(out)
	return out, nil
}

// add takes what one broker said. Two brokers list a group while it moves from one to the other: the one that shows it active
// is believed.
func (l *Listing) add(broker int32, groups []Group, err error) {
	if err != nil {
		l.Failed[broker] = err
	}
	for _, g := range groups {
		if old, ok := l.Groups[g.Name]; !ok || !old.Active() {
			l.Groups[g.Name] = g
		}
	}
}

func (c *Cluster) brokers(ctx context.Context) ([]int32, error) {
	resp, err := askAny[*kmsg.MetadataResponse](ctx, c, func() kmsg.Request {
		req := kmsg.NewPtrMetadataRequest()
		req.Topics = []kmsg.MetadataRequestTopic{} // none: nil would be all of them
		return req
	})
	if err != nil {
		return nil, fmt.Errorf("reading the list of brokers: %w", err)
	}
	ids := make([]int32, 0, len(resp.Brokers))
	for _, b := range resp.Brokers {
		ids = append(ids, b.NodeID)
	}
	return ids, nil
}

// listOf asks one broker for the groups that it coordinates; nil types are all types.
func (c *Cluster) listOf(ctx context.Context, broker int32, types []string) ([]Group, error) {
	req := kmsg.NewPtrListGroupsRequest()
	req.TypesFilter = types
	resp, err := ask[*kmsg.ListGroupsResponse](ctx, c, broker, req)
	if err == nil {
		err = kerr.ErrorForCode(resp.ErrorCode)
	}
	if err != nil {
		return nil, fmt.Errorf("listing groups of broker %d: %w", broker, err)
	}
	out := make([]Group, 0, len(resp.Groups))
	for _, g := range resp.Groups {
		out = append(out, Group{
			Name: g.Group, Type: g.GroupType, ProtocolType: g.ProtocolType, State: g.GroupState, Coordinator: broker,
		})
	}
	return out, nil
}
