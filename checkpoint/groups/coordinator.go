package groups

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// What FindCoordinator looks for.
const (
	ofGroup         int8 = 0
	ofTransactional int8 = 1
)

// find asks any broker for the coordinators of keys. Every key is in one of the two answers.
func (c *Cluster) find(ctx context.Context, kind int8, keys []string) (map[string]int32, map[string]error) {
	at, failed := make(map[string]int32, len(keys)), make(map[string]error)
	resp, err := c.findCoordinators(ctx, kind, keys)
	for i := range resp {
		at[resp[i].Key] = resp[i].NodeID
		if kerr := kerr.ErrorForCode(resp[i].ErrorCode); kerr != nil {
			delete(at, resp[i].Key)
			failed[resp[i].Key] = fmt.Errorf("finding the coordinator: %w", kerr)
		}
	}
	for _, key := range keys {
		if _, ok := at[key]; !ok && failed[key] == nil {
			failed[key] = fmt.Errorf("finding the coordinator: %w", errors.Join(err, errUnanswered))
		}
	}
	return at, failed
}

func (c *Cluster) findCoordinators(ctx context.Context, kind int8, keys []string) ([]kmsg.FindCoordinatorResponseCoordinator, error) {
	resp, err := askAny[*kmsg.FindCoordinatorResponse](ctx, c, func() kmsg.Request {
		req := kmsg.NewPtrFindCoordinatorRequest()
		req.CoordinatorType, req.CoordinatorKeys = kind, keys // the client asks for one at a time where the broker is old
		return req
	})
	if err != nil {
		return nil, err
	}
	return resp.Coordinators, nil
}

// coordinators returns where groups are coordinated, from memory where it was heard before.
func (c *Cluster) coordinators(ctx context.Context, groups []string) (map[string]int32, map[string]error) {
	at, unknown := c.recall(groups)
	if len(unknown) == 0 {
		return at, nil
	}
	found, failed := c.find(ctx, ofGroup, unknown)
	maps.Copy(at, found)
	c.mu.Lock()
	maps.Copy(c.at, found)
	c.mu.Unlock()
	return at, failed
}

func (c *Cluster) recall(groups []string) (at map[string]int32, unknown []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at = make(map[string]int32, len(groups))
	for _, g := range groups {
		if broker, ok := c.at[g]; ok {
			at[g] = broker
		} else {
			unknown = append(unknown, g)
		}
	}
	return at, unknown
}

// forget drops a coordinator that is not there any more, or did not answer.
func (c *Cluster) forget(group string) {
	c.mu.Lock()
	delete(c.at, group)
	c.mu.Unlock()
}

// remember replaces what is known of coordinators by a listing; so groups that are gone are forgotten.
func (c *Cluster) remember(l Listing) {
	at := make(map[string]int32, len(l.Groups))
	for name, g := range l.Groups {
		at[name] = g.Coordinator
	}
	c.mu.Lock()
	c.at = at
	c.mu.Unlock()
}

// answer is what was heard of one group.
type answer[T any] struct {
	val T
	err error
}

// gather puts a question to the coordinators of groups, all of them at once, and returns an answer for each group. Groups
// whose coordinator has moved are asked for once more.
func gather[T any](
	ctx context.Context, c *Cluster, groups []string,
	question func(ctx context.Context, broker int32, groups []string) map[string]answer[T],
) map[string]answer[T] {
	out := make(map[string]answer[T], len(groups))
	for range 2 {
		ask := remaining(out, groups)
		if len(ask) == 0 {
			break
		}
		at, failed := c.coordinators(ctx, ask)
		for g, err := range failed {
			out[g] = answer[T]{err: err}
		}
		maps.Copy(out, scatter(ctx, at, question))
		for _, g := range ask {
			if a := out[g]; a.err != nil {
				c.forget(g)
			}
		}
	}
	return out
}

// remaining returns the groups that were not asked for yet, or whose coordinator was not where it was asked.
func remaining[T any](out map[string]answer[T], groups []string) (ask []string) {
	for _, g := range groups {
		if a, ok := out[g]; !ok || errors.Is(a.err, kerr.NotCoordinator) {
			ask = append(ask, g)
		}
	}
	return ask
}

func scatter[T any](
	ctx context.Context, at map[string]int32,
	question func(ctx context.Context, broker int32, groups []string) map[string]answer[T],
) map[string]answer[T] {
	by := make(map[int32][]string)
	for g, broker := range at {
		by[broker] = append(by[broker], g)
	}
	var (
		wg  sync.WaitGroup
		mu  sync.Mutex
		out = make(map[string]answer[T], len(at))
	)
	for broker, groups := range by {
		wg.Go(func() {
			got := question(ctx, broker, groups)
			mu.Lock()
			defer mu.Unlock()
			for _, g := range groups {
				a, ok := got[g]
				if !ok {
					a.err = fmt.Errorf("asking broker %d: %w", broker, errUnanswered)
				}
				out[g] = a
			}
		})
	}
	wg.Wait()
	return out
}
