package groups

import (
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/meshd/meshd/internal/kafkatest"
)

// A broker of three hangs: groups of the others are still read at once; when Kafka has moved its groups, all are placed; and at
// no time is anything reported that is not so.
func TestBrokerHangs(t *testing.T) {
	kafkatest.RealOnly(t, "kfake has no process to stop")
	cluster := kafkatest.Start(t, "groups-hang", kafkatest.WithBrokers(3))
	e := prepare(&env{T: t, seeds: cluster.Bootstrap()})
	var all []Placement
	for i := range 30 {
		all = append(all, e.to(fmt.Sprintf("g%d", i), NoCommit, 1))
	}
	p := e.placer("first")
	e.until("all groups are placed", func() bool { return e.advance(p, all, 1) })
	dead := e.victim(all)
	for i := 0; p.coordinator == dead; i++ {
		p = e.placer(fmt.Sprintf("id%d", i))
	}
	cluster.Signal(t, syscall.SIGSTOP, int(dead))
	defer cluster.Signal(t, syscall.SIGCONT, int(dead))

	begun := time.Now()
	unread := 0
	for name, g := range e.c.Commits(e.ctx(), groupsOf(all)) {
		if g.Err != nil {
			unread++
		} else if g.Commits[Partition{e.topic, 0}].Offset != 1 {
			t.Errorf("group %s: %+v", name, g)
		}
	}
	if took := time.Since(begun); took > 15*time.Second || unread == 0 || unread == len(all) {
		t.Errorf("%d of %d groups not read after %v", unread, len(all), took)
	}
	e.until("all groups are placed again", func() bool {
		e.Logf("%v after the broker hung", time.Since(begun).Round(time.Millisecond))
		return e.advance(p, all, 2)
	})
	t.Logf("all groups were placed %v after broker %d hung", time.Since(begun).Round(time.Millisecond), dead)
}

// advance places what is not at an offset yet, and says whether nothing was left to do.
func (e *env) advance(p *Placer, all []Placement, to int64) bool {
	e.Helper()
	stands := e.c.Commits(e.ctx(), groupsOf(all))
	var rest []Placement
	unread := 0
	for _, pl := range all {
		got, ok := stands[pl.Group].Commits[pl.Places[0].Partition]
		if !ok {
			got = NoCommit
		}
		switch {
		case stands[pl.Group].Err != nil:
			unread++
		case got.Offset != to:
			pl.Places = []Place{{Partition: pl.Places[0].Partition, Before: got, Offset: to}}
			rest = append(rest, pl)
		}
	}
	if len(rest) == 0 && unread == 0 {
		return true
	}
	rs, err := p.Place(e.ctx(), rest)
	e.Logf("%d unread, %v, error %v", unread, outcomes(rs), err)
	if errors.Is(err, ErrFenced) { // the transaction could not be ended within its timeout
		if again, err := e.c.OpenPlacer(e.ctx(), p.txnID, e.own); err == nil {
			*p = *again
		}
	}
	return false
}

// victim returns a broker that coordinates some of the groups and does not lead the controllers, for this is not about them.
func (e *env) victim(all []Placement) int32 {
	e.Helper()
	req := kmsg.NewPtrDescribeQuorumRequest()
	part := kmsg.NewDescribeQuorumRequestTopicPartition()
	req.Topics = []kmsg.DescribeQuorumRequestTopic{{
		Topic: "__cluster_metadata", Partitions: []kmsg.DescribeQuorumRequestTopicPartition{part},
	}}
	resp, err := req.RequestWith(e.ctx(), e.cl)
	if err != nil {
		e.Fatal(err)
	}
	leader := resp.Topics[0].Partitions[0].LeaderID
	at, failed := e.c.find(e.ctx(), ofGroup, groupsOf(all))
	for _, broker := range at {
		if broker != leader {
			return broker
		}
	}
	e.Fatalf("all groups are on broker %d, or unknown: %v", leader, failed)
	return 0
}

func groupsOf(all []Placement) (names []string) {
	for _, p := range all {
		names = append(names, p.Group)
	}
	return names
}
