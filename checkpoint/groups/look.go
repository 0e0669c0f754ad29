package groups

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// seen is a group as its coordinator shows it.
type seen struct {
	GroupCommits
	state string
}

// look decides the jobs whose group is not as expected, and leaves the others undecided. A stable look finds commits of open
// transactions too; with one of our own pending it must not be stable.
func (c *Cluster) look(ctx context.Context, jobs []*job, stable bool) {
	by := make(map[string]*job, len(jobs))
	for _, j := range jobs {
		by[j.Result.Group] = j
	}
	got := gather(ctx, c, names(jobs), func(ctx context.Context, broker int32, groups []string) map[string]answer[seen] {
		wants := make([]want, 0, len(groups))
		for _, g := range groups {
			wants = append(wants, want{group: g, places: by[g].Places})
		}
		return c.seen(ctx, broker, wants, stable)
	})
	for g, a := range got {
		by[g].judge(a)
	}
}

// seen reads commits first and states second: a group that is empty then was not committing as a member in between.
func (c *Cluster) seen(ctx context.Context, broker int32, wants []want, stable bool) map[string]answer[seen] {
	out := make(map[string]answer[seen], len(wants))
	var read []string
	for g, a := range c.fetch(ctx, broker, wants, stable) {
		out[g] = answer[seen]{val: seen{GroupCommits: a.val}, err: a.err}
		if a.err == nil {
			read = append(read, g)
		}
	}
	states := c.states(ctx, broker, read)
	for _, g := range read {
		s, ok := states[g]
		if !ok {
			s.err = fmt.Errorf("describing the group: %w", errUnanswered)
		}
		out[g] = answer[seen]{val: seen{GroupCommits: out[g].val.GroupCommits, state: s.val}, err: s.err}
	}
	return out
}

func (j *job) judge(a answer[seen]) {
	if a.err != nil {
		j.fail(a.err)
		return
	}
	if !idle(a.val.state) {
		j.Outcome, j.State, j.Err = Active, a.val.state, fmt.Errorf("group is in state %s", a.val.state)
		return
	}
	for _, p := range j.Places {
		if err := a.val.Failed[p.Partition]; err != nil {
			j.fail(err)
			return
		}
		found, ok := a.val.Commits[p.Partition]
		if !ok {
			found = NoCommit
		}
		if found != p.Before {
			j.differ(p, found)
		}
	}
}

func (j *job) differ(p Place, found Commit) {
	if j.Found == nil {
		j.Found = make(map[Partition]Commit)
		j.Outcome, j.Err = Differs, fmt.Errorf("commit of %s is %s, expected %s", p.Partition, found, p.Before)
	}
	j.Found[p.Partition] = found
}

// states asks a coordinator for the states of groups; Dead is one that it does not know. DescribeGroups tells of classic groups
// only, so the others are looked for in a listing of the other types.
func (c *Cluster) states(ctx context.Context, broker int32, groups []string) map[string]answer[string] {
	out, dead := c.describe(ctx, broker, groups)
	if len(dead) == 0 {
		return out
	}
	listed, err := c.listOf(ctx, broker, []string{"consumer", "streams", "share"})
	for _, g := range dead {
		out[g] = answer[string]{val: Dead, err: err}
	}
	for _, g := range listed {
		if slices.Contains(dead, g.Name) && g.State != "" {
			out[g.Name] = answer[string]{val: g.State}
		}
	}
	return out
}

// describe returns the states of classic groups, and apart from them the groups that are unknown or of another type.
func (c *Cluster) describe(ctx context.Context, broker int32, groups []string) (out map[string]answer[string], dead []string) {
	out = make(map[string]answer[string], len(groups))
	if len(groups) == 0 {
		return out, nil
	}
	req := kmsg.NewPtrDescribeGroupsRequest()
	req.Groups = groups
	resp, err := ask[*kmsg.DescribeGroupsResponse](ctx, c, broker, req)
	if err != nil {
		for _, g := range groups {
			out[g] = answer[string]{err: fmt.Errorf("describing groups: %w", err)}
		}
		return out, nil
	}
	for _, g := range resp.Groups {
		err := kerr.ErrorForCode(g.ErrorCode)
		switch {
		case errors.Is(err, kerr.GroupIDNotFound), err == nil && g.State == Dead:
			dead = append(dead, g.Group)
		case err != nil:
			out[g.Group] = answer[string]{err: fmt.Errorf("describing the group: %w", err)}
		default:
			out[g.Group] = answer[string]{val: g.State}
		}
	}
	return out, dead
}
