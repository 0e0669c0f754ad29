package groups

import (
	"context"
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// The windows of the compare-and-set, one by one. The consumer only assigns, so its group looks empty all the time.

func TestCommitBeforeOursIsSeen(t *testing.T) {
	e := newEnv(t)
	p := e.placer("id")
	jobs := newJobs([]Placement{e.to("g", NoCommit, 100)})
	if err := p.begin(e.ctx(), jobs); err != nil {
		t.Fatal(err)
	}
	e.assigned("g", 40)
	p.stage(e.ctx(), jobs)
	p.look(e.ctx(), jobs, false)
	if jobs[0].Outcome != Differs {
		t.Fatalf("a commit appended before ours was not seen: %+v", jobs[0].Result)
	}
	if err := p.giveUp(e.ctx(), nil); err != nil {
		t.Fatal(err)
	}
	e.stands("g", at(40))
}

func TestCommitBeforeTheSecondLookIsSeen(t *testing.T) {
	e := newEnv(t)
	p := e.placer("id")
	jobs := newJobs([]Placement{e.to("g", NoCommit, 100)})
	if err := p.begin(e.ctx(), jobs); err != nil {
		t.Fatal(err)
	}
	p.stage(e.ctx(), jobs)
	e.assigned("g", 40)
	p.look(e.ctx(), jobs, false)
	if jobs[0].Outcome != Differs {
		t.Fatalf("a commit before the second look was not seen: %+v", jobs[0].Result)
	}
	if err := p.giveUp(e.ctx(), nil); err != nil {
		t.Fatal(err)
	}
	e.stands("g", at(40))
}

func TestCommitAfterTheSecondLookWins(t *testing.T) {
	e := newEnv(t)
	p := e.placer("id")
	jobs := newJobs([]Placement{e.to("g", NoCommit, 100)})
	if err := p.begin(e.ctx(), jobs); err != nil {
		t.Fatal(err)
	}
	p.stage(e.ctx(), jobs)
	p.look(e.ctx(), jobs, false)
	if jobs[0].Outcome != 0 {
		t.Fatalf("decided too early: %+v", jobs[0].Result)
	}
	e.assigned("g", 40)
	if err := p.commit(e.ctx(), jobs); err != nil {
		t.Fatal(err)
	}
	if e.real() {
		e.stands("g", at(40))
		return
	}
	// kfake lets the transaction overwrite what was committed after it was pending. If this fails it has learnt better:
	// then drop the difference.
	e.stands("g", Commit{100, -1, "m"})
}

// The place before ours stays what everybody reads until the end, and then changes at once.
func TestPendingPlaceIsNotSeen(t *testing.T) {
	e := newEnv(t)
	e.assigned("g", 40)
	p := e.placer("id")
	jobs := newJobs([]Placement{e.to("g", at(40), 100)})
	if err := p.begin(e.ctx(), jobs); err != nil {
		t.Fatal(err)
	}
	p.stage(e.ctx(), jobs)
	got := e.c.Commits(e.ctx(), []string{e.group("g")})[e.group("g")].Commits[Partition{e.topic, 0}]
	if got != at(40) {
		t.Errorf("while ours is pending the group stands at %v, want 40", got)
	}
	if e.stable("g") {
		t.Error("a consumer that requires stable offsets would not wait")
	}
	if err := p.commit(e.ctx(), jobs); err != nil {
		t.Fatal(err)
	}
	e.stands("g", Commit{100, -1, "m"})
}

// A commit of the application's own in an open transaction may be older than ours and would be lost.
func TestForeignTransactionIsLeftAlone(t *testing.T) {
	e := newEnv(t)
	e.assigned("g", 40)
	app := e.placer("app")
	theirs := newJobs([]Placement{e.to("g", at(40), 50)})
	if err := app.begin(e.ctx(), theirs); err != nil {
		t.Fatal(err)
	}
	app.stage(e.ctx(), theirs)

	p := e.placer("id")
	rs, err := p.Place(e.ctx(), []Placement{e.to("g", at(40), 100)})
	e.one(rs, err, Active)
	if err := app.commit(e.ctx(), theirs); err != nil {
		t.Fatal(err)
	}
	e.stands("g", Commit{50, -1, "m"})
}

// Groups with a member are not touched, whichever protocol it speaks; when it has left they are.
func TestActiveGroups(t *testing.T) {
	for name, opts := range map[string][]kgo.Opt{"classic": nil, "consumer": {kgo.ServerSideBalancer()}} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			e.assigned("g", 0)
			member := e.member("g", opts...)
			p := e.placer("id")
			rs, err := p.Place(e.ctx(), []Placement{e.to("g", at(0), 100), e.to("other", NoCommit, 1)})
			if err != nil || rs[0].Outcome != Active || rs[1].Outcome != Placed {
				t.Fatalf("got %+v, error %v", rs, err)
			}
			e.stands("g", at(0))
			e.listed("g", name, true)
			if pl := e.c.PlacePlain(e.ctx(), []Placement{e.to("g", at(0), 100)}); pl[0].Outcome != Active {
				t.Errorf("without a transaction: %+v", pl[0])
			}

			member.Close()
			e.listed("g", name, false)
			rs, err = p.Place(e.ctx(), []Placement{e.to("g", at(0), 100)})
			e.one(rs, err, Placed)
			e.stands("g", Commit{100, -1, "m"})
		})
	}
}

// A member that joins when the group was seen empty reads the place that is being set, for it waits for it.
func TestMemberThatJoinsInBetween(t *testing.T) {
	for name, opts := range map[string][]kgo.Opt{"classic": nil, "consumer": {kgo.ServerSideBalancer()}} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			e.assigned("g", 0)
			p := e.placer("id")
			jobs := newJobs([]Placement{e.to("g", at(0), 3)})
			if err := p.begin(e.ctx(), jobs); err != nil {
				t.Fatal(err)
			}
			p.stage(e.ctx(), jobs)
			p.look(e.ctx(), jobs, false)
			for range 5 {
				e.cl.ProduceSync(e.ctx(), &kgo.Record{Topic: e.topic, Partition: 0})
			}
			member := e.member("g", opts...)
			if err := p.commit(e.ctx(), jobs); err != nil {
				t.Fatal(err)
			}
			if got := member.PollFetches(e.ctx()).Records()[0].Offset; got != 3 {
				t.Errorf("the member begins at %d, want 3", got)
			}
		})
	}
}

// The broker takes a transactional commit for a group with members from who is none, so the state has to be looked at.
func TestClassicGroupMustBeLookedAt(t *testing.T) {
	e := newEnv(t)
	e.assigned("g", 0)
	e.member("g")
	p := e.placer("id")
	jobs := newJobs([]Placement{e.to("g", at(0), 100)})
	if err := p.begin(e.ctx(), jobs); err != nil {
		t.Fatal(err)
	}
	p.stage(e.ctx(), jobs)
	if jobs[0].Outcome != 0 {
		t.Fatalf("the broker refused by itself: %+v", jobs[0].Result)
	}
	p.look(e.ctx(), jobs, false)
	if jobs[0].Outcome != Active || jobs[0].State == "" {
		t.Errorf("got %+v, want active with a state", jobs[0].Result)
	}
	if err := p.giveUp(e.ctx(), nil); err != nil {
		t.Fatal(err)
	}
	e.stands("g", at(0))
}

// member joins a group and waits until it is in.
func (e *env) member(group string, opts ...kgo.Opt) *kgo.Client {
	e.Helper()
	in := make(chan struct{}, 8)
	cl := e.client(append([]kgo.Opt{
		kgo.ConsumerGroup(e.group(group)), kgo.ConsumeTopics(e.topic), kgo.DisableAutoCommit(),
		kgo.OnPartitionsAssigned(func(context.Context, *kgo.Client, map[string][]int32) { in <- struct{}{} }),
	}, opts...)...)
	select {
	case <-in:
	case <-e.ctx().Done():
		e.Fatal("the member did not get in")
	}
	return cl
}

// listed waits until a listing shows a group with a type, active or not.
func (e *env) listed(group, typ string, active bool) {
	e.Helper()
	e.until(fmt.Sprintf("group %s is listed as %s, active %t", group, typ, active), func() bool {
		l, err := e.c.List(e.ctx())
		if err != nil {
			e.Fatal(err)
		}
		g := l.Groups[e.group(group)]
		return g.Type == typ && g.State != "" && g.Active() == active
	})
}

// Two calls in a row: the transaction of the first may not be over when the second looks, and that is no reason to refuse.
func TestPlaceTwiceInARow(t *testing.T) {
	e := newEnv(t)
	p := e.placer("id")
	before := NoCommit
	for i := range 20 {
		rs, err := p.Place(e.ctx(), []Placement{e.to("g", before, int64(i))})
		if e.one(rs, err, Placed); err != nil {
			t.Fatal(err)
		}
		before = Commit{int64(i), -1, "m"}
	}
	e.stands("g", before)
}
