package groups

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// GroupCommits is what a group has committed.
type GroupCommits struct {
	Commits map[Partition]Commit // without partitions of topics that the caller may not DESCRIBE: brokers leave them out silently
	Failed  map[Partition]error  // partitions that were not read
	Err     error                // the group was not read
}

// fetchGroups is the number of groups asked for in a request, so that an answer stays within a few megabytes.
const fetchGroups = 2000

// Commits reads all commits of groups: those that stand now, with no regard for transactions that are still open. Every group is
// in the answer; one that the cluster does not know has no commits.
func (c *Cluster) Commits(ctx context.Context, groups []string) map[string]GroupCommits {
	got := gather(ctx, c, groups, func(ctx context.Context, broker int32, groups []string) map[string]answer[GroupCommits] {
		wants := make([]want, 0, len(groups))
		for _, g := range groups {
			wants = append(wants, want{group: g})
		}
		return c.fetch(ctx, broker, wants, false)
	})
	out := make(map[string]GroupCommits, len(got))
	for g, a := range got {
		a.val.Err = a.err
		out[g] = a.val
	}
	return out
}

// want is a group to be fetched, with the partitions of which to tell; nil is all that have a commit.
type want struct {
	group  string
	places []Place
}

// fetch asks a coordinator for the commits of its groups. A stable fetch fails for partitions with a commit in an open
// transaction.
func (c *Cluster) fetch(ctx context.Context, broker int32, wants []want, stable bool) map[string]answer[GroupCommits] {
	out := make(map[string]answer[GroupCommits], len(wants))
	for rest := wants; len(rest) > 0; {
		chunk := rest[:min(len(rest), fetchGroups)]
		resp, err := ask[*kmsg.OffsetFetchResponse](ctx, c, broker, newOffsetFetch(chunk, stable))
		if err != nil {
			for _, w := range rest {
				out[w.group] = answer[GroupCommits]{err: fmt.Errorf("fetching offsets: %w", err)}
			}
			return out
		}
		if resp.Version < batchedFetch {
			chunk, resp.Groups = chunk[:1], []kmsg.OffsetFetchResponseGroup{single(chunk[0].group, resp)}
		}
		for i := range resp.Groups {
			out[resp.Groups[i].Group] = readFetched(&resp.Groups[i])
		}
		rest = rest[len(chunk):]
	}
	return out
}

// batchedFetch is the version from which on a request may ask for several groups (Kafka 3.0).
const batchedFetch = 8

// offsetFetch asks for several groups where the broker can do that, and for the first of them where it can't.
type offsetFetch struct{ *kmsg.OffsetFetchRequest }

func newOffsetFetch(wants []want, stable bool) offsetFetch {
	req := kmsg.NewPtrOffsetFetchRequest()
	req.RequireStable = stable
	for _, w := range wants {
		g := kmsg.NewOffsetFetchRequestGroup()
		g.Group, g.Topics = w.group, fetchTopics(w.places)
		req.Groups = append(req.Groups, g)
	}
	return offsetFetch{req}
}

func (offsetFetch) MaxVersion() int16 { return maxOffsetFetch }

// SetVersion is called by the client when it knows what the broker understands.
func (r offsetFetch) SetVersion(v int16) {
	r.OffsetFetchRequest.SetVersion(v)
	if v >= batchedFetch {
		return
	}
	r.Group, r.Topics = r.Groups[0].Group, nil
	for _, t := range r.Groups[0].Topics {
		old := kmsg.NewOffsetFetchRequestTopic()
		old.Topic, old.Partitions = t.Topic, t.Partitions
		r.Topics = append(r.Topics, old)
	}
}

// fetchTopics returns nil, which asks for everything, for nil places.
func fetchTopics(places []Place) (topics []kmsg.OffsetFetchRequestGroupTopic) {
	for topic, at := range byTopic(places) {
		t := kmsg.NewOffsetFetchRequestGroupTopic()
		t.Topic = topic
		for _, p := range at {
			t.Partitions = append(t.Partitions, p.Number)
		}
		topics = append(topics, t)
	}
	return topics
}

// single turns the answer of an old broker, for one group, into the form of the newer ones.
func single(group string, resp *kmsg.OffsetFetchResponse) kmsg.OffsetFetchResponseGroup {
	g := kmsg.NewOffsetFetchResponseGroup()
	g.Group, g.ErrorCode = group, resp.ErrorCode
	for _, t := range resp.Topics {
		nt := kmsg.NewOffsetFetchResponseGroupTopic()
		nt.Topic = t.Topic
		for _, p := range t.Partitions {
			np := kmsg.NewOffsetFetchResponseGroupTopicPartition()
			np.Partition, np.Offset, np.LeaderEpoch = p.Partition, p.Offset, p.LeaderEpoch
			np.Metadata, np.ErrorCode = p.Metadata, p.ErrorCode
			nt.Partitions = append(nt.Partitions, np)
		}
		g.Topics = append(g.Topics, nt)
	}
	return g
}

// readFetched takes a group that does not exist for one that has committed nothing: brokers say either.
func readFetched(g *kmsg.OffsetFetchResponseGroup) answer[GroupCommits] {
	out := GroupCommits{Commits: make(map[Partition]Commit), Failed: make(map[Partition]error)}
	if err := kerr.ErrorForCode(g.ErrorCode); err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return answer[GroupCommits]{err: fmt.Errorf("fetching offsets: %w", err)}
	}
	for _, t := range g.Topics {
		for _, p := range t.Partitions {
			at := Partition{t.Topic, p.Partition}
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				out.Failed[at] = fmt.Errorf("fetching the offset of %s: %w", at, err)
				continue
			}
			if p.Offset >= 0 {
				out.Commits[at] = Commit{Offset: p.Offset, LeaderEpoch: p.LeaderEpoch, Metadata: deref(p.Metadata)}
			}
		}
	}
	return answer[GroupCommits]{val: out}
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
