package groups

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"
)

// model is all that a test has to know of a cluster: where each group stands, and which records were written.
type model struct {
	stands  map[string]Commit
	records []string
}

var modelGroups = []string{"a", "b", "c"}

// TestAgainstModel puts consumers that commit, syncers that place on what they have read sometime, second owners and requests
// that are lost, before or after they took effect, in any order. The cluster must end up where the results say.
func TestAgainstModel(t *testing.T) {
	fake := newFake(t, kfake.NumBrokers(2))
	rapid.Check(t, func(rt *rapid.T) {
		e := prepare(&env{T: t, seeds: fake.seeds, fake: fake.fake})
		defer e.cl.Close()
		m := &model{stands: make(map[string]Commit)}
		for _, g := range modelGroups {
			m.stands[g] = NoCommit
		}
		var network flaky
		cl := e.client(kgo.Dialer(network.dial), kgo.RequestRetries(0))
		defer cl.Close()
		open := func() *Placer {
			p, err := New(cl, e.c.timeout).OpenPlacer(e.ctx(), e.prefix+"id", e.own)
			if err != nil {
				rt.Fatal(err)
			}
			return p
		}
		p := open()
		rt.Repeat(map[string]func(*rapid.T){
			"consumer commits": func(rt *rapid.T) {
				g, to := rapid.SampledFrom(modelGroups).Draw(rt, "group"), rapid.Int64Range(0, 9).Draw(rt, "offset")
				e.assigned(g, to)
				m.stands[g] = at(to)
			},
			"second owner": func(rt *rapid.T) {
				first := p
				p = open()
				first.stale = false // kfake gives the id back to whoever shows an older epoch of it
				_, err := first.Place(e.ctx(), []Placement{e.to("a", m.stands["a"], 100)})
				if !errors.Is(err, ErrFenced) {
					rt.Fatalf("the first owner was not fenced: %v", err)
				}
			},
			"place":            func(rt *rapid.T) { m.place(rt, e, p) },
			"place with a cut": func(rt *rapid.T) { m.placeCut(rt, e, p, &network) },
			"":                 func(rt *rapid.T) { m.compare(rt, e) },
		})
		if got := e.records(); !slices.Equal(got, m.records) {
			rt.Fatalf("records are %v, want %v", got, m.records)
		}
	})
}

// draw makes a batch; some of it expects what never stood there.
func (m *model) draw(rt *rapid.T, e *env) (batch []Placement, right map[string]bool) {
	right = make(map[string]bool)
	for _, g := range rapid.SliceOfNDistinct(rapid.SampledFrom(modelGroups), 1, 3, rapid.ID[string]).Draw(rt, "groups") {
		before := m.stands[g]
		if rapid.IntRange(0, 3).Draw(rt, "stale") == 0 {
			before = at(rapid.Int64Range(0, 9).Draw(rt, "expected"))
		}
		right[g] = before == m.stands[g]
		batch = append(batch, e.to(g, before, before.Offset+1+rapid.Int64Range(0, 5).Draw(rt, "ahead")))
	}
	return batch, right
}

func (m *model) place(rt *rapid.T, e *env, p *Placer) {
	batch, right := m.draw(rt, e)
	rs, err := p.Place(e.ctx(), batch)
	if err != nil {
		rt.Fatal(err)
	}
	for i, r := range rs {
		want := Differs
		if right[batch[i].Group[len(e.prefix):]] {
			want = Placed
		}
		if r.Outcome != want {
			rt.Fatalf("%s: %v (%v), want %v", r.Group, r.Outcome, r.Err, want)
		}
		m.note(e, batch[i], r.Outcome)
	}
}

// placeCut loses one request; then not all is decided, but what is said must be true.
func (m *model) placeCut(rt *rapid.T, e *env, p *Placer, network *flaky) {
	batch, right := m.draw(rt, e)
	key := rapid.SampledFrom([]kmsg.Key{
		kmsg.InitProducerID, kmsg.AddOffsetsToTxn, kmsg.AddPartitionsToTxn, kmsg.TxnOffsetCommit, kmsg.OffsetFetch,
		kmsg.DescribeGroups, kmsg.Produce, kmsg.EndTxn,
	}).Draw(rt, "key")
	after, pass := rapid.Bool().Draw(rt, "after"), rapid.IntRange(0, 3).Draw(rt, "pass")
	network.arm(key, after, pass, 1)
	rs, err := p.Place(e.ctx(), batch)
	network.disarm()
	if errors.Is(err, ErrFenced) {
		rt.Fatalf("nobody else was there, but: %v", err)
	}
	rt.Logf("%s %d after %t: %v, error %v", key.Name(), pass, after, outcomes(rs), err)
	for i, r := range rs {
		g := batch[i].Group[len(e.prefix):]
		if r.Outcome == Placed && !right[g] {
			rt.Fatalf("%s was placed though its commit differs", r.Group)
		}
		if r.Outcome == Unsure {
			if got := e.settled(p, g); got.Metadata == "m" && got.Offset == batch[i].Places[0].Offset {
				r.Outcome = Placed
			}
		}
		m.note(e, batch[i], r.Outcome)
	}
}

func (m *model) note(e *env, p Placement, o Outcome) {
	if o == Placed {
		m.stands[p.Group[len(e.prefix):]] = Commit{p.Places[0].Offset, -1, "m"}
		m.records = append(m.records, fmt.Sprintf("%s=%d", p.Group, p.Places[0].Offset))
	}
}

func (m *model) compare(rt *rapid.T, e *env) {
	for _, g := range modelGroups {
		got, ok := e.c.Commits(e.ctx(), []string{e.group(g)})[e.group(g)].Commits[Partition{e.topic, 0}]
		if !ok {
			got = NoCommit
		}
		if got != m.stands[g] {
			rt.Fatalf("group %s stands at %v, want %v", g, got, m.stands[g])
		}
	}
}
