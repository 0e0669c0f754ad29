package groups

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/meshd/meshd/internal/kafkatest"
)

// Whatever request of a placement is lost, before or after it took effect, once or for good: what is reported is what stands,
// the record stands or falls with the place, and the next call works.
func TestLostRequests(t *testing.T) {
	const forever = 1 << 30
	for _, request := range []struct {
		key  kmsg.Key
		pass int
	}{
		{kmsg.OffsetFetch, 0},
		{kmsg.DescribeGroups, 0},
		{kmsg.AddOffsetsToTxn, 0},
		{kmsg.AddPartitionsToTxn, 0},
		{kmsg.TxnOffsetCommit, 0},
		{kmsg.OffsetFetch, 1},
		{kmsg.DescribeGroups, 1},
		{kmsg.Produce, 0},
		{kmsg.EndTxn, 0},
	} {
		for _, after := range []bool{false, true} {
			for _, times := range []int{1, forever} {
				name := fmt.Sprintf("%s %d, after it took effect %t, %d times", request.key.Name(), request.pass+1, after, times)
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					lostRequest(t, request.key, after, request.pass, times)
				})
			}
		}
	}
}

func lostRequest(t *testing.T, key kmsg.Key, after bool, pass, times int) {
	e := newEnv(t)
	e.assigned("g", 1)
	var network flaky
	c := New(e.client(kgo.Dialer(network.dial), kgo.RequestRetries(0)), 2*time.Second)
	p, err := c.OpenPlacer(e.ctx(), e.prefix+"id", e.own)
	if err != nil {
		t.Fatal(err)
	}
	network.arm(key, after, pass, times)
	rs, err := p.Place(e.ctx(), []Placement{e.to("g", at(1), 10)})
	if network.hits() == 0 {
		t.Fatal("nothing was lost")
	}
	network.disarm()
	if errors.Is(err, ErrFenced) {
		t.Fatalf("nobody else was there, but: %v", err)
	}
	if key == kmsg.EndTxn && times == 1 && rs[0].Outcome != Placed {
		t.Errorf("an answer that was lost once was not asked for again: %v, %v", rs[0].Outcome, rs[0].Err)
	}

	before := e.settled(p, "g")
	placed := before == Commit{10, -1, "m"}
	if rs[0].Outcome != Unsure && placed != (rs[0].Outcome == Placed) {
		t.Fatalf("reported %v, but the group stands at %v", rs[0].Outcome, before)
	}
	if got := e.records(); len(got) > 1 || (len(got) == 1) != placed {
		t.Errorf("the group stands at %v, but the records are %v", before, got)
	}
	rs, err = p.Place(e.ctx(), []Placement{e.to("g", before, 20)})
	e.one(rs, err, Placed)
	e.stands("g", Commit{20, -1, "m"})
}

// settled ends what is open and reads where the group stands.
func (e *env) settled(p *Placer, group string) Commit {
	e.Helper()
	if err := p.ready(e.ctx()); err != nil {
		e.Fatal(err)
	}
	e.until("nothing is pending", func() bool { return e.stable(group) })
	return e.c.Commits(e.ctx(), []string{e.group(group)})[e.group(group)].Commits[Partition{e.topic, 0}]
}

// An answer that is lost before a second owner comes must not lead the first to take the id back.
func TestLostRequestThenSecondOwner(t *testing.T) {
	for _, key := range []kmsg.Key{kmsg.TxnOffsetCommit, kmsg.EndTxn} {
		t.Run(key.Name(), func(t *testing.T) {
			if key == kmsg.TxnOffsetCommit {
				kafkatest.RealOnly(t, "kfake gives the id back to whoever shows an older epoch of it")
			}
			e := newEnv(t)
			var network flaky
			c := New(e.client(kgo.Dialer(network.dial), kgo.RequestRetries(0)), 2*time.Second)
			first, err := c.OpenPlacer(e.ctx(), e.prefix+"id", e.own)
			if err != nil {
				t.Fatal(err)
			}
			network.arm(key, false, 0, 1<<30)
			if rs, _ := first.Place(e.ctx(), []Placement{e.to("g", NoCommit, 10)}); rs[0].Outcome == Placed {
				t.Fatalf("got %+v", rs)
			}
			network.disarm()
			second := e.placer("id")
			if _, err := first.Place(e.ctx(), []Placement{e.to("g", NoCommit, 10)}); !errors.Is(err, ErrFenced) {
				t.Errorf("the first owner got error %v", err)
			}
			rs, err := second.Place(e.ctx(), []Placement{e.to("g", NoCommit, 20)})
			e.one(rs, err, Placed)
			e.stands("g", Commit{20, -1, "m"})
		})
	}
}

// One broker of three takes requests and never answers. Its groups fail; the others are read and placed.
func TestDeadCoordinator(t *testing.T) {
	e := newFake(t, kfake.NumBrokers(3))
	c := New(e.cl, 300*time.Millisecond)
	p, err := c.OpenPlacer(e.ctx(), e.prefix+"id", e.own)
	if err != nil {
		t.Fatal(err)
	}
	dead := (e.fake.CoordinatorFor(e.prefix+"id") + 1) % 3
	for _, key := range []kmsg.Key{kmsg.OffsetFetch, kmsg.ListGroups, kmsg.DescribeGroups, kmsg.TxnOffsetCommit} {
		e.fake.ControlKey(int16(key), func(kmsg.Request) (kmsg.Response, error, bool) {
			e.fake.KeepControl()
			return nil, nil, e.fake.CurrentNode() == dead
		})
	}
	var all []Placement
	var names []string
	lost := 0
	for i := range 60 {
		all = append(all, e.to(fmt.Sprintf("g%d", i), NoCommit, 1))
		names = append(names, all[i].Group)
		if e.fake.CoordinatorFor(all[i].Group) == dead {
			lost++
		}
	}
	begun := time.Now()
	rs, err := p.Place(e.ctx(), all)
	if got := outcomes(rs); err != nil || lost == 0 || got[Failed] != lost || got[Placed] != 60-lost {
		t.Errorf("outcomes are %v, error %v, want %d failed", got, err, lost)
	}
	failed := 0
	for _, g := range c.Commits(e.ctx(), names) {
		if g.Err != nil {
			failed++
		}
	}
	if failed != lost {
		t.Errorf("commits of %d groups were not read, want %d", failed, lost)
	}
	l, err := c.List(e.ctx())
	if err != nil || l.Complete() || len(l.Failed) != 1 || l.Failed[dead] == nil || len(l.Groups) != 60-lost {
		t.Errorf("%d groups listed, failed %v, error %v", len(l.Groups), l.Failed, err)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}

// A coordinator that dies only when a place is pending there takes its own groups with it, and no other.
func TestCoordinatorDiesInTheTransaction(t *testing.T) {
	e := newFake(t, kfake.NumBrokers(3))
	c := New(e.cl, 300*time.Millisecond)
	p, err := c.OpenPlacer(e.ctx(), e.prefix+"id", e.own)
	if err != nil {
		t.Fatal(err)
	}
	dead := (e.fake.CoordinatorFor(e.prefix+"id") + 1) % 3
	e.fake.ControlKey(int16(kmsg.TxnOffsetCommit), func(kmsg.Request) (kmsg.Response, error, bool) {
		e.fake.KeepControl()
		return nil, nil, e.fake.CurrentNode() == dead
	})
	var all []Placement
	lost := 0
	for i := range 30 {
		all = append(all, e.to(fmt.Sprintf("g%d", i), NoCommit, 1))
		if e.fake.CoordinatorFor(all[i].Group) == dead {
			lost++
		}
	}
	epoch := p.epoch
	rs, err := p.Place(e.ctx(), all)
	if got := outcomes(rs); err != nil || lost == 0 || got[Failed] != lost || got[Placed] != 30-lost {
		t.Errorf("outcomes are %v, error %v, want %d failed", got, err, lost)
	}
	if p.epoch == epoch {
		t.Error("the next transaction ran under the epoch of requests that may still be under way")
	}
}

// Coordinators that move are found again; no group fails for it.
func TestCoordinatorsMove(t *testing.T) {
	e := newFake(t, kfake.NumBrokers(3))
	p := e.placer("id")
	var all []Placement
	for i := range 20 {
		all = append(all, e.to(fmt.Sprintf("g%d", i), NoCommit, 1))
	}
	for round := range 5 {
		if round > 0 {
			e.fake.RehashCoordinators()
			e.fake.ShufflePartitionLeaders()
		}
		rs, err := p.Place(e.ctx(), all)
		if got := outcomes(rs); err != nil || got[Placed] != len(all) {
			t.Fatalf("round %d: outcomes are %v, error %v", round, got, err)
		}
		for i := range all {
			all[i].Places[0].Before = Commit{all[i].Places[0].Offset, -1, "m"}
			all[i].Places[0].Offset++
		}
	}
}

// When the caller gives up, nothing stays pending.
func TestContextEnds(t *testing.T) {
	e := newFake(t)
	p := e.placer("id")
	ctx, cancel := context.WithCancel(e.ctx())
	e.fake.ControlKey(int16(kmsg.TxnOffsetCommit), func(kmsg.Request) (kmsg.Response, error, bool) {
		cancel()
		return nil, nil, false
	})
	rs, err := p.Place(ctx, []Placement{e.to("g", NoCommit, 1), e.to("h", NoCommit, 1)})
	if got := outcomes(rs); err == nil && got[Failed] != 2 {
		t.Errorf("outcomes are %v, error %v", got, err)
	}
	if p.open {
		t.Error("the transaction was left open")
	}
	e.stands("g", NoCommit)
	rs, err = p.Place(e.ctx(), []Placement{e.to("g", NoCommit, 1)})
	e.one(rs, err, Placed)
}

func TestListingOfABrokerThatLoads(t *testing.T) {
	e := newFake(t, kfake.NumBrokers(2))
	e.assigned("g", 1)
	e.fake.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.ListGroups}, Nodes: []int32{1 - e.fake.CoordinatorFor(e.group("g"))}, TopLevel: true,
		Err: kerr.CoordinatorLoadInProgress,
	})
	l, err := e.c.List(e.ctx())
	if err != nil || l.Complete() || len(l.Groups) != 1 {
		t.Errorf("got %+v, error %v", l, err)
	}
	for _, why := range l.Failed {
		if !errors.Is(why, kerr.CoordinatorLoadInProgress) {
			t.Errorf("failed with %v", why)
		}
	}
	if l, err = e.c.List(e.ctx()); err != nil || !l.Complete() {
		t.Errorf("when it has loaded: %+v, error %v", l, err)
	}
}

func TestCommitsFailByGroup(t *testing.T) {
	e := newFake(t)
	e.assigned("good", 5)
	e.assigned("bad", 6)
	e.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetFetch}, Group: e.group("bad"), Err: kerr.GroupAuthorizationFailed})
	got := e.c.Commits(e.ctx(), []string{e.group("good"), e.group("bad"), e.group("nobody")})
	if g := got[e.group("good")]; g.Err != nil || g.Commits[Partition{e.topic, 0}] != at(5) {
		t.Errorf("good: %+v", g)
	}
	if g := got[e.group("bad")]; !errors.Is(g.Err, kerr.GroupAuthorizationFailed) {
		t.Errorf("bad: %+v", g)
	}
	if g, ok := got[e.group("nobody")]; !ok || g.Err != nil || len(g.Commits) != 0 {
		t.Errorf("nobody: %+v", g)
	}
}

// Without a right the group says which, and the others go on.
func TestDenied(t *testing.T) {
	for _, tt := range []struct {
		key kmsg.Key
		err *kerr.Error
	}{
		{kmsg.OffsetFetch, kerr.GroupAuthorizationFailed},
		{kmsg.DescribeGroups, kerr.GroupAuthorizationFailed},
		{kmsg.AddOffsetsToTxn, kerr.GroupAuthorizationFailed},
		{kmsg.TxnOffsetCommit, kerr.GroupAuthorizationFailed},
		{kmsg.TxnOffsetCommit, kerr.TopicAuthorizationFailed},
	} {
		t.Run(tt.key.Name()+" "+tt.err.Message, func(t *testing.T) {
			e := newFake(t)
			p := e.placer("id")
			e.fake.Fault(kfake.Fault{Keys: []kmsg.Key{tt.key}, Group: e.group("bad"), Err: tt.err, Count: -1})
			rs, err := p.Place(e.ctx(), []Placement{e.to("good", NoCommit, 1), e.to("bad", NoCommit, 1)})
			if err != nil || rs[0].Outcome != Placed || rs[1].Outcome != Denied || rs[1].Hint == "" || !errors.Is(rs[1].Err, tt.err) {
				t.Errorf("got %+v, error %v", rs, err)
			}
		})
	}
}

func TestNoRightToTheTransactionalID(t *testing.T) {
	e := newFake(t)
	e.fake.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.InitProducerID}, TxnID: e.prefix + "id", Err: kerr.TransactionalIDAuthorizationFailed, Count: -1,
	})
	if _, err := e.c.OpenPlacer(e.ctx(), e.prefix+"id", e.own); !errors.Is(err, ErrNoTransactions) {
		t.Fatalf("got error %v, want %v", err, ErrNoTransactions)
	}
	e.assigned("differs", 3)
	rs := e.c.PlacePlain(e.ctx(), []Placement{e.to("g", NoCommit, 10), e.to("differs", at(2), 10)})
	if rs[0].Outcome != Placed || rs[1].Outcome != Differs {
		t.Errorf("got %+v", rs)
	}
	e.stands("g", Commit{10, -1, "m"})
	e.stands("differs", at(3))
}

// Brokers before 3.0 answer for one group at a time, before 2.6 they list no states, before 2.5 an owner can't raise its epoch.
func TestOldBrokers(t *testing.T) {
	for name, v := range map[string]*kversion.Versions{
		"2.4": kversion.V2_4_0(), "2.8": kversion.V2_8_0(), "3.9": kversion.V3_9_0(), "4.0": kversion.V4_0_0(),
	} {
		t.Run(name, func(t *testing.T) {
			e := newFake(t, kfake.MaxVersions(v))
			p := e.placer("id")
			e.assigned("g1", 5)
			rs, err := p.Place(e.ctx(), []Placement{e.to("g0", NoCommit, 1), e.to("g1", at(5), 6), e.to("g2", at(7), 8)})
			if err != nil || rs[0].Outcome != Placed || rs[1].Outcome != Placed || rs[2].Outcome != Differs {
				t.Fatalf("got %+v, error %v", rs, err)
			}
			got := e.c.Commits(e.ctx(), []string{e.group("g0"), e.group("g1"), e.group("g2")})
			if got[e.group("g0")].Commits[Partition{e.topic, 0}].Offset != 1 || got[e.group("g1")].Commits[Partition{e.topic, 0}].Offset != 6 {
				t.Errorf("commits are %+v", got)
			}
			l, err := e.c.List(e.ctx())
			if err != nil || len(l.Groups) != 2 {
				t.Errorf("listing is %+v, error %v", l, err)
			}
			p.stale = true
			rs, err = p.Place(e.ctx(), []Placement{e.to("g0", Commit{1, -1, "m"}, 2)})
			if name == "2.4" && !errors.Is(err, ErrFenced) || name != "2.4" && rs[0].Outcome != Placed {
				t.Errorf("with an answer lost: %+v, error %v", rs, err)
			}
		})
	}
}
