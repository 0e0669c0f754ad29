package groups

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/meshd/meshd/internal/kafkatest"
)

func TestPlace(t *testing.T) {
	e := newEnv(t)
	p := e.placer("id")
	rs, err := p.Place(e.ctx(), []Placement{e.to("g", NoCommit, 100)})
	e.one(rs, err, Placed)
	e.stands("g", Commit{Offset: 100, LeaderEpoch: -1, Metadata: "m"})

	rs, err = p.Place(e.ctx(), []Placement{e.to("g", Commit{Offset: 100, LeaderEpoch: -1, Metadata: "m"}, 120)})
	e.one(rs, err, Placed)
	e.stands("g", Commit{Offset: 120, LeaderEpoch: -1, Metadata: "m"})

	want := []string{e.group("g") + "=100", e.group("g") + "=120"}
	if got := e.records(); !slices.Equal(got, want) {
		t.Errorf("records are %v, want %v", got, want)
	}
}

// A whole group is placed or nothing of it, also where it spans topics and partitions.
func TestPlaceDiffers(t *testing.T) {
	e := newEnv(t)
	e.assigned("g", 30)
	p := e.placer("id")
	all := e.to("g", at(20), 100)
	all.Places = append(all.Places, Place{Partition: Partition{e.topic, 1}, Before: NoCommit, Offset: 7})
	rs, err := p.Place(e.ctx(), []Placement{all})
	r := e.one(rs, err, Differs)
	if len(r.Found) != 1 || r.Found[Partition{e.topic, 0}] != at(30) {
		t.Errorf("found %v, want 30 in partition 0", r.Found)
	}
	e.stands("g", at(30))
	if got := e.c.Commits(e.ctx(), []string{e.group("g")})[e.group("g")]; len(got.Commits) != 1 {
		t.Errorf("the other partition was placed: %v", got.Commits)
	}
	rs, err = p.Place(e.ctx(), []Placement{e.to("g", NoCommit, 100)})
	e.one(rs, err, Differs)
	rs, err = p.Place(e.ctx(), []Placement{e.to("g", at(30), 30)})
	e.one(rs, err, Placed) // a refresh: the same place again
	if got := e.records(); len(got) != 1 {
		t.Errorf("records are %v, want that of the refresh only", got)
	}
}

// The same offset with other metadata, or another leader epoch, is a commit that somebody made since.
func TestPlaceComparesWholeCommits(t *testing.T) {
	e := newEnv(t)
	e.assigned("g", 30)
	p := e.placer("id")
	for _, before := range []Commit{{30, -1, "other"}, {30, 0, ""}} {
		rs, err := p.Place(e.ctx(), []Placement{e.to("g", before, 100)})
		e.one(rs, err, Differs)
	}
	rs, err := p.Place(e.ctx(), []Placement{e.to("g", at(30), 100)})
	e.one(rs, err, Placed)
}

// One group of fifty that differs costs the others nothing but a second attempt, wherever it is found out.
func TestPlaceBatchWithOneThatDiffers(t *testing.T) {
	for _, when := range []string{"before the transaction", "within the transaction"} {
		t.Run(when, func(t *testing.T) {
			e := newEnv(t)
			p := e.placer("id")
			var batch []Placement
			for i := range 50 {
				batch = append(batch, e.to(fmt.Sprintf("g%d", i), NoCommit, int64(i+1)))
			}
			var rs []Result
			if when == "before the transaction" {
				e.assigned("g17", 3)
				var err error
				if rs, err = p.Place(e.ctx(), batch); err != nil {
					t.Fatal(err)
				}
			} else {
				jobs := newJobs(batch)
				if err := p.begin(e.ctx(), jobs); err != nil {
					t.Fatal(err)
				}
				p.stage(e.ctx(), jobs)
				if err := p.giveUp(e.ctx(), nil); err != nil {
					t.Fatal(err)
				}
				e.assigned("g17", 3)
				if err := p.batch(e.ctx(), jobs); err != nil {
					t.Fatal(err)
				}
				rs = results(jobs)
			}
			if got := outcomes(rs); got[Placed] != 49 || got[Differs] != 1 || rs[17].Outcome != Differs {
				t.Errorf("outcomes are %v, want 49 placed and 1 that differs", got)
			}
			e.stands("g17", at(3))
			e.stands("g49", Commit{50, -1, "m"})
			if got := e.records(); len(got) != 49 || slices.Contains(got, e.group("g17")+"=18") {
				t.Errorf("%d records: %v", len(got), got)
			}
		})
	}
}

// A group's record can be written alone, also while the group runs, and together with others' places.
func TestPlaceRecordOnly(t *testing.T) {
	e := newEnv(t)
	e.assigned("busy", 7)
	e.member("busy")
	p := e.placer("id")
	alone := Placement{Group: e.group("busy"), Record: &Record{Key: []byte("busy"), Value: []byte("separate")}}
	for _, batch := range [][]Placement{{alone}, {alone, e.to("g", NoCommit, 1)}} {
		rs, err := p.Place(e.ctx(), batch)
		if got := outcomes(rs); err != nil || got[Placed] != len(batch) {
			t.Fatalf("got %+v, error %v", rs, err)
		}
	}
	e.stands("busy", at(7))
	want := []string{"busy=separate", "busy=separate", e.group("g") + "=1"}
	if got := e.records(); !slices.Equal(got, want) {
		t.Errorf("records are %v, want %v", got, want)
	}
	if rs := e.c.PlacePlain(e.ctx(), []Placement{alone}); rs[0].Outcome != Failed || !errors.Is(rs[0].Err, ErrNoTransactions) {
		t.Errorf("without a transaction: %+v", rs[0])
	}
}

func TestPlaceManyBatches(t *testing.T) {
	e := newEnv(t)
	p := e.placer("id")
	var all []Placement
	for i := range 120 {
		all = append(all, e.to(fmt.Sprintf("g%d", i), NoCommit, int64(i+1)))
	}
	rs, err := p.Place(e.ctx(), all)
	if got := outcomes(rs); err != nil || got[Placed] != 120 {
		t.Fatalf("outcomes are %v, error %v, want 120 placed", got, err)
	}
	for i, r := range rs {
		if r.Group != all[i].Group {
			t.Fatalf("result %d is of %s, want %s", i, r.Group, all[i].Group)
		}
	}
	if got := e.records(); len(got) != 120 {
		t.Errorf("%d records, want 120", len(got))
	}
}

func TestSecondOwnerFencesTheFirst(t *testing.T) {
	e := newEnv(t)
	first := e.placer("id")
	rs, err := first.Place(e.ctx(), []Placement{e.to("g", NoCommit, 1)})
	e.one(rs, err, Placed)
	e.stands("g", Commit{1, -1, "m"})
	second := e.placer("id")

	rs, err = first.Place(e.ctx(), []Placement{e.to("g", Commit{1, -1, "m"}, 2), e.to("h", NoCommit, 2)})
	if got := outcomes(rs); !errors.Is(err, ErrFenced) || got[Failed] != 2 {
		t.Fatalf("the first owner got %v, error %v, want %v", rs, err, ErrFenced)
	}
	if _, err = first.Place(e.ctx(), []Placement{e.to("g", Commit{1, -1, "m"}, 2)}); !errors.Is(err, ErrFenced) {
		t.Errorf("the first owner took the id back: error %v", err)
	}
	rs, err = second.Place(e.ctx(), []Placement{e.to("g", Commit{1, -1, "m"}, 3)})
	e.one(rs, err, Placed)
	e.stands("g", Commit{3, -1, "m"})
	e.stands("h", NoCommit)
}

// A second owner that comes while the first has places pending: they are aborted, and the first can't commit them.
func TestSecondOwnerInTheMiddle(t *testing.T) {
	e := newEnv(t)
	first := e.placer("id")
	jobs := newJobs([]Placement{e.to("g", NoCommit, 1)})
	if err := first.begin(e.ctx(), jobs); err != nil {
		t.Fatal(err)
	}
	first.stage(e.ctx(), jobs)
	second := e.placer("id")
	if err := first.write(e.ctx(), jobs); e.real() && !errors.Is(err, ErrFenced) {
		t.Errorf("writing the record as the first owner: error %v", err)
	}
	if err := first.commit(e.ctx(), jobs); !errors.Is(err, ErrFenced) {
		t.Errorf("committing as the first owner: error %v", err)
	}
	e.stands("g", NoCommit)
	rs, err := second.Place(e.ctx(), []Placement{e.to("g", NoCommit, 2)})
	e.one(rs, err, Placed)
	e.stands("g", Commit{2, -1, "m"})
	if got := e.records(); len(got) != 1 {
		t.Errorf("records are %v, want the second owner's only", got)
	}
}

func TestPlaceUnknownPartition(t *testing.T) {
	e := newEnv(t)
	p := e.placer("id")
	bad := e.to("bad", NoCommit, 1)
	bad.Places[0].Number = 99
	rs, err := p.Place(e.ctx(), []Placement{bad, e.to("good", NoCommit, 1)})
	if err != nil || rs[0].Outcome != Failed || !errors.Is(rs[0].Err, kerr.UnknownTopicOrPartition) || rs[1].Outcome != Placed {
		t.Errorf("got %+v, error %v", rs, err)
	}
	if rs[0].Hint == "" {
		t.Error("no hint")
	}
}

// The broker's limit for metadata is 4,096 characters unless somebody changed it.
func TestPlaceMetadataTooLarge(t *testing.T) {
	kafkatest.RealOnly(t, "kfake takes metadata of any size")
	e := newEnv(t)
	p := e.placer("id")
	bad := e.to("bad", NoCommit, 1)
	bad.Places[0].Metadata = strings.Repeat("x", 4097)
	rs, err := p.Place(e.ctx(), []Placement{bad, e.to("good", NoCommit, 1)})
	if err != nil || rs[0].Outcome != Failed || !errors.Is(rs[0].Err, kerr.OffsetMetadataTooLarge) || rs[1].Outcome != Placed {
		t.Errorf("got %+v, error %v", rs, err)
	}
	if rs[0].Hint == "" {
		t.Error("no hint")
	}
	bad.Places[0].Metadata = strings.Repeat("x", 4096)
	rs, err = p.Place(e.ctx(), []Placement{bad})
	e.one(rs, err, Placed)
}

func TestPlaceRefused(t *testing.T) {
	orders := Partition{"orders", 0}
	place := func(before Commit, offset int64) Place {
		return Place{Partition: orders, Before: before, Offset: offset}
	}
	tests := []struct {
		name   string
		places []Place
	}{
		{"nothing to place", nil},
		{"below zero", []Place{place(NoCommit, -1)}},
		{"a rewind", []Place{place(at(10), 9)}},
		{"a partition twice", []Place{place(NoCommit, 1), place(NoCommit, 2)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j := newJobs([]Placement{{Group: "g", Places: tt.places}})[0]
			if j.Outcome != Failed || !errors.Is(j.Err, ErrPlacement) {
				t.Errorf("got %v, error %v", j.Outcome, j.Err)
			}
		})
	}
	jobs := newJobs([]Placement{{Group: "g", Places: []Place{place(at(9), 9)}}, {Group: "g", Places: []Place{place(at(9), 9)}}})
	if jobs[0].Outcome != 0 || jobs[1].Outcome != Failed {
		t.Errorf("a group twice: %v and %v", jobs[0].Outcome, jobs[1].Outcome)
	}
}

func TestBatches(t *testing.T) {
	sized := func(n int) *job { return &job{Placement: Placement{Record: &Record{Value: make([]byte, n)}}} }
	var jobs []*job
	for range 120 {
		jobs = append(jobs, &job{})
	}
	for _, n := range []int{maxRecordBytes - 1, 1, 1, 2 * maxRecordBytes, maxRecordBytes} {
		jobs = append(jobs, sized(n))
	}
	var got []int
	for _, b := range batches(jobs) {
		got = append(got, len(b))
	}
	if want := []int{50, 50, 22, 1, 1, 1}; !slices.Equal(got, want) {
		t.Errorf("batches of %v, want %v", got, want)
	}
}

func TestTransactionalID(t *testing.T) {
	if got := TransactionalID("retail", Slot("billing")); got != "meshd.retail.groups.4" {
		t.Errorf("got %s: the format has changed", got)
	}
}
