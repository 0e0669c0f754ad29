package admin

import (
	"fmt"
	"iter"

	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/kafka"
)

// reasons yields everything that does not go on, by a name that no two of them share. What stands still because of its shard is
// told by the shard alone, and what stands still because of its pair by the pair.
func reasons(s flow.Status) iter.Seq2[string, kafka.Reason] {
	return func(yield func(string, kafka.Reason) bool) {
		for _, p := range s.Pairs {
			for what, r := range pairReasons(p) {
				if !yield(what, r) {
					return
				}
			}
		}
	}
}

func pairReasons(p flow.PairStatus) iter.Seq2[string, kafka.Reason] {
	return func(yield func(string, kafka.Reason) bool) {
		link := pairOf(p).String()
		if p.Reason != nil && !yield(link, *p.Reason) {
			return
		}
		for _, t := range p.Topics {
			if t.Reason != nil && !yield(link+": "+t.Topic, *t.Reason) {
				return
			}
		}
		for _, s := range p.Shards {
			if s.Reason != nil && !yield(fmt.Sprintf("%s: shard %d", link, s.Number), *s.Reason) {
				return
			}
		}
		shards := shardReasons(p)
		for _, part := range p.Partitions {
			own := part.Reason != nil && *part.Reason != shards[part.Shard]
			if own && !yield(fmt.Sprintf("%s: %s/%d", link, part.Topic, part.Partition), *part.Reason) {
				return
			}
		}
	}
}

func shardReasons(p flow.PairStatus) map[int]kafka.Reason {
	out := map[int]kafka.Reason{}
	for _, s := range p.Shards {
		if s.Reason != nil {
			out[s.Number] = *s.Reason
		}
	}
	return out
}
