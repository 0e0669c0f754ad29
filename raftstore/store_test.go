package raftstore

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/meshd/meshd/raftstore/state"
)

func TestGroupsAgreeAndRemember(t *testing.T) {
	for _, n := range []int{1, 2, 3} {
		t.Run(fmt.Sprint(n, " nodes"), func(t *testing.T) {
			all := peers(t, n, nil)
			result, index := propose(t, leader(t, all...), assign(0, "n0"))
			if result.Epoch != 1 || !result.Changed {
				t.Fatalf("%+v", result)
			}
			reach(t, index, all...)
			for _, p := range all {
				p.stop(t)
			}
			for _, p := range all {
				p.start(t)
			}
			if _, index = propose(t, leader(t, all...), assign(1, "n1")); index < 2 {
				t.Fatalf("index %d", index)
			}
			reach(t, index, all...)
			for _, p := range all {
				if s, _ := p.State(); s.Assignment.Shards[shard] != (state.Owner{Node: "n1", Epoch: 2}) {
					t.Errorf("%s: %+v", p.id.Node, s.Assignment)
				}
			}
		})
	}
}

// A node that comes back alone has no quorum, and knows what it knew.
func TestRestartKnowsTheLastStateBeforeAnyElection(t *testing.T) {
	all := peers(t, 2, nil)
	_, index := propose(t, leader(t, all...), assign(0, "n0"))
	reach(t, index, all...)
	for _, p := range all {
		p.stop(t)
	}
	all[1].start(t)
	s, at := all[1].State()
	if at != index || s.Assignment.Shards[shard].Node != "n0" {
		t.Errorf("index %d, want %d; %+v", at, index, s)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	var none *NotLeaderError
	if _, _, err := all[1].Propose(ctx, assign(1, "n1")); !errors.As(err, &none) || none.Node != "" || !errors.Is(err, ErrNotLeader) {
		t.Errorf("a proposal without a quorum: %v", err)
	}
	if err := all[1].WaitIndex(ctx, index+1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting for what will not come: %v", err)
	}
}

func TestFollowerNamesTheLeader(t *testing.T) {
	all := peers(t, 2, nil)
	lead := leader(t, all...)
	for _, p := range all {
		if p == lead {
			continue
		}
		_, _, err := p.Propose(t.Context(), assign(0, "n0"))
		var not *NotLeaderError
		if !errors.As(err, &not) || not.Node != lead.id.Node || not.Address != lead.cfg.Advertise {
			t.Errorf("%+v", err)
		}
	}
}

func TestRefusalIsAResult(t *testing.T) {
	all := peers(t, 1, nil)
	lead := leader(t, all...)
	propose(t, lead, assign(0, "n0"))
	result, _ := propose(t, lead, assign(0, "n1"))
	if result.Refused != state.RefusedStale {
		t.Errorf("%+v", result)
	}
}

func TestDeadLeaderIsReplaced(t *testing.T) {
	all := peers(t, 3, nil)
	dead := leader(t, all...)
	_, index := propose(t, dead, assign(0, "n0"))
	reach(t, index, all...)
	dead.stop(t)
	began := time.Now()
	var rest []*peer
	for _, p := range all {
		if p != dead {
			rest = append(rest, p)
		}
	}
	next := leader(t, rest...)
	t.Logf("a new leader after %v", time.Since(began))
	if _, index = propose(t, next, assign(1, "n1")); index == 0 {
		t.Fatal("no index")
	}
	dead.start(t)
	reach(t, index, all...)
}

func TestWatchIsSignalledOnceForMany(t *testing.T) {
	all := peers(t, 1, nil)
	lead := leader(t, all...)
	watch, stop := lead.Watch()
	defer stop()
	for i := range uint64(5) {
		propose(t, lead, assign(i, fmt.Sprint("n", i)))
	}
	<-watch
	if s, _ := lead.State(); s.Assignment.Epoch != 5 {
		t.Errorf("epoch %d", s.Assignment.Epoch)
	}
	select {
	case <-watch:
		t.Error("a second signal")
	default:
	}
}

// A node whose disk is empty gets a state that only a snapshot holds any more.
func TestSnapshotReachesANewNode(t *testing.T) {
	all := peers(t, 3, nil)
	lead := leader(t, all...)
	var last *peer
	for _, p := range all {
		if p != lead {
			last = p
		}
	}
	last.stop(t)
	_, index := propose(t, lead, assign(0, "n0"))
	if err := lead.raft.ReloadConfig(raft.ReloadableConfig{
		TrailingLogs: 0, SnapshotInterval: time.Hour, SnapshotThreshold: 1000, HeartbeatTimeout: heartbeatTimeout, ElectionTimeout: electionTimeout,
	}); err != nil {
		t.Fatal(err)
	}
	if err := lead.Snapshot(); err != nil {
		t.Fatal(err)
	}
	last.dir = t.TempDir()
	last.start(t)
	reach(t, index, last)
	if s, _ := last.State(); s.Assignment.Shards[shard].Node != "n0" {
		t.Errorf("%+v", s)
	}
	last.stop(t)
	last.start(t)
	if s, at := last.State(); at != index || s.Assignment.Epoch != 1 {
		t.Errorf("after a restart: %d %+v", at, s)
	}
}

func TestVotersFollowTheTopology(t *testing.T) {
	all := unstarted(t, 3)
	two := all[0].cfg.Voters[:2]
	for _, p := range all[:2] {
		p.cfg.Voters = two
		p.start(t)
	}
	lead := leader(t, all[:2]...)
	_, index := propose(t, lead, assign(0, "n0"))
	all[2].start(t) // its disk is empty, and it bootstraps with all three
	if n, err := lead.SetVoters(all[2].cfg.Voters); n != 1 || err != nil {
		t.Fatalf("added %d: %v", n, err)
	}
	if n, err := lead.SetVoters(all[2].cfg.Voters); n != 0 || err != nil {
		t.Fatalf("again %d: %v", n, err)
	}
	reach(t, index, all...)
	lead = leader(t, all...)
	var stay []Voter
	for _, v := range all[2].cfg.Voters {
		if v.Node != lead.id.Node {
			stay = append(stay, v)
		}
	}
	if n, err := lead.SetVoters(stay); n != 1 || err != nil {
		t.Fatalf("removed %d: %v", n, err)
	}
	var rest []*peer
	for _, p := range all {
		if p != lead {
			rest = append(rest, p)
		}
	}
	if voters, err := leader(t, rest...).Voters(); len(voters) != 2 || err != nil {
		t.Fatalf("%v %v", voters, err)
	}
	if _, err := lead.SetVoters(stay[:1]); !errors.Is(err, ErrNotLeader) {
		t.Errorf("a node that is not the leader changes the voters: %v", err)
	}
}

func TestStepDown(t *testing.T) {
	all := peers(t, 2, nil)
	lead := leader(t, all...)
	if err := lead.StepDown(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "another leads", func() bool { node, _ := lead.Leader(); return node != "" && node != lead.id.Node })
	if err := lead.StepDown(); err != nil {
		t.Errorf("a follower steps down: %v", err)
	}
}

func TestTLS(t *testing.T) {
	shared := mutualTLS(t)
	all := peers(t, 2, func(c *Config) { c.TLS = shared })
	_, index := propose(t, leader(t, all...), assign(0, "n0"))
	reach(t, index, all...)
	all[1].stop(t)
	all[1].cfg.TLS = mutualTLS(t) // trusts, and is trusted by, nobody
	all[1].start(t)
	conn, err := tls.Dial("tcp", all[0].cfg.Advertise, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13})
	if err == nil {
		_, err = conn.Read(make([]byte, 1))
		_ = conn.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("without a certificate: %v", err)
	}
	if _, _, err := all[1].Propose(t.Context(), assign(1, "n0")); !errors.Is(err, ErrNotLeader) {
		t.Errorf("a stranger proposes: %v", err)
	}
}

// A node that was configured into another mesh's addresses is not listened to, and counted.
func TestAnotherMeshIsRefused(t *testing.T) {
	all := unstarted(t, 2)
	all[1].id.Mesh = "other"
	for _, p := range all {
		p.start(t)
	}
	eventually(t, "refused", func() bool { return refusals(t, all[0])+refusals(t, all[1]) > 0 })
	if node, _ := all[0].Leader(); node != "" {
		t.Errorf("%s leads", node)
	}
}

func refusals(t *testing.T, p *peer) (n float64) {
	t.Helper()
	families, err := p.cfg.Metrics.(*prometheus.Registry).Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "meshd_raft_refused_total" {
			n += f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	return n
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	all := peers(t, 1, nil)
	second := unstarted(t, 1)[0]
	second.cfg.Bind = all[0].cfg.Bind
	dir, err := OpenDir(second.dir, second.id)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	second.cfg.Dir, second.cfg.Metrics = dir, prometheus.NewRegistry()
	if _, err := Open(second.cfg); err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("a port that is taken: %v", err)
	}
	if err := dir.WriteFile(stateFile, []byte(`{"index":1,"state":{"v":99}}`)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(second.cfg); !errors.Is(err, state.ErrFuture) {
		t.Errorf("a state from the future: %v", err)
	}
}

func TestWhatCannotBeAppliedPanics(t *testing.T) {
	defer func() {
		if got := fmt.Sprint(recover()); !strings.Contains(got, "upgrade this node") {
			t.Errorf("panicked with %q", got)
		}
	}()
	(&fsm{}).Apply(&raft.Log{Index: 7, Data: []byte(`{"v":2}`)})
}
