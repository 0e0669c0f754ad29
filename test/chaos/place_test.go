package chaos

import (
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
)

// place puts the copy on a leader and a follower, and everything else on the leader alone.
func (s *stage) place(leader, follower int32) {
	s.t.Helper()
	admin := kadm.NewClient(s.eu.Client(s.t))
	var missing []string
	if !s.look(curtain, func() bool { missing = s.move(admin, leader, follower); return len(missing) == 0 }) {
		s.t.Fatalf("they do not move: %s", missing)
	}
}

// move has the partitions move that are not where they belong, and names them.
func (s *stage) move(admin *kadm.Client, leader, follower int32) (missing []string) {
	topics, err := admin.ListTopicsWithInternal(s.t.Context())
	if err != nil {
		return []string{err.Error()}
	}
	moves, elect := kadm.AlterPartitionAssignmentsReq{}, kadm.TopicsSet{}
	for _, p := range topics.TopicsList().IntoSet().Sorted() {
		for _, number := range p.Partitions {
			want, is := []int32{leader}, topics[p.Topic].Partitions[number]
			if p.Topic == s.feed.remote() {
				want = []int32{leader, follower}
			}
			switch {
			case !slices.Equal(is.Replicas, want):
				moves.Assign(p.Topic, number, want)
			case is.Leader != leader:
				elect.Add(p.Topic, number)
			case len(is.ISR) == len(want):
				continue
			}
			missing = append(missing, fmt.Sprintf("%s/%d: leader %d, replicas %d, in sync %d", p.Topic, number, is.Leader, is.Replicas, is.ISR))
		}
	}
	if _, err := admin.AlterPartitionAssignments(s.t.Context(), moves); err != nil {
		missing = append(missing, err.Error())
	}
	if len(elect) > 0 {
		if _, err := admin.ElectLeaders(s.t.Context(), kadm.ElectPreferredReplica, elect); err != nil {
			missing = append(missing, err.Error())
		}
	}
	return missing
}
