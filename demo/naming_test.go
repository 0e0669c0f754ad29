package demo

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/meshd/meshd/topology"
)

func TestNamings(t *testing.T) {
	for naming, want := range map[Naming]string{Prefix: "orders eu.orders ap.orders", Identity: "orders"} {
		if got := strings.Join(naming.topicsAt("us"), " "); got != want {
			t.Errorf("%s: %s, want %s", naming, got, want)
		}
	}
	n := Prefix
	if err := n.Set("identity"); err != nil || n != Identity {
		t.Error(n, err)
	}
	if err := n.Set("suffix"); err == nil || n != Identity {
		t.Error(n, err)
	}
}

func TestTheTopologySaysTheNaming(t *testing.T) {
	for _, naming := range []Naming{Prefix, Identity} {
		topo, err := parse(naming)
		if err != nil {
			t.Errorf("%s: %v", naming, err)
			continue
		}
		if got := topo.Links[0].Settings.Naming; string(got) != string(naming) {
			t.Errorf("it says %s, not %s", got, naming)
		}
	}
}

// With identity naming each mistake is seen, as what it is, and as nothing else.
func TestEachMistakeWithOneNameIsSeen(t *testing.T) {
	rec := id{"us", 2, 5}
	insert := func(at topology.Alias, where int) func(*evidence) {
		return func(e *evidence) {
			e.change(at, topic, 2, func(es []entry) []entry { return slices.Insert(es, where, entry{rec, 99}) })
		}
	}
	for name, c := range map[string]struct {
		do   func(*evidence)
		want Origin // of us
	}{
		"a record is missing in eu": {func(e *evidence) {
			e.change("eu", topic, 2, func(es []entry) []entry { return slices.Delete(es, 5, 6) })
		}, Origin{Lost: 1}},
		"a record is twice in eu, much later": {insert("eu", 60), Origin{Duplicated: 1}},
		"a record came home":                  {insert("us", 60), Origin{Looped: 1}},
		"a record came home at once":          {insert("us", 6), Origin{Looped: 1}},
		"a copy has another name": {func(e *evidence) {
			e.change("ap", "us.orders", 2, func(es []entry) []entry { return append(es, entry{rec, 0}) })
		}, Origin{Looped: 1}},
		"a record that nobody wrote": {func(e *evidence) {
			e.change("eu", topic, 2, func(es []entry) []entry { return append(es, entry{id{"us", 2, 999}, 99}) })
		}, Origin{Looped: 1}},
		"two records changed places": {func(e *evidence) {
			e.change("eu", topic, 2, func(es []entry) []entry {
				es[5], es[6] = es[6], es[5]
				return es
			})
		}, Origin{OutOfOrder: 1}},
		"an acknowledged record is nowhere": {func(e *evidence) { e.acked = append(e.acked, id{"us", 2, 999}) }, Origin{Lost: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			e := fine(Identity, 20)
			c.do(&e)
			v := judge(e)
			if v.OK() || len(v.Wrong) == 0 {
				t.Errorf("not seen:\n%s%s", v, v.Wrong)
			}
			if got := mistakes(v.Origins[0]); got != mistakes(c.want) {
				t.Errorf("counted (lost, duplicated, looped, out of order) %v, want %v: %s", got, mistakes(c.want), v.Wrong)
			}
			if got := mistakes(v.Origins[1]); got != [4]int{} {
				t.Errorf("counted %v for eu, which is fine", got)
			}
		})
	}
}

// How records of different clusters come to lie in a common log is no mistake.
func TestAnyMixOfOriginsIsFine(t *testing.T) {
	e := fine(Identity, 20)
	e.change("eu", topic, 1, func(es []entry) []entry {
		slices.SortStableFunc(es, func(a, b entry) int { return int(a.id.seq - b.id.seq) })
		return es
	})
	if v := judge(e); !v.OK() {
		t.Errorf("%s%s", v, v.Wrong)
	}
}

// What the README shows of the end is what a verdict prints.
func TestVerdictInReadmeIsReal(t *testing.T) {
	page, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	v := Verdict{Group: Reading{Read: 17_520}}
	for _, o := range []struct {
		at      topology.Alias
		written int
	}{{"us", 4_986}, {"eu", 6_270}, {"ap", 6_264}} {
		v.Origins = append(v.Origins, Origin{Cluster: o.at, Written: o.written, Arrived: map[topology.Alias]int{"us": o.written, "eu": o.written, "ap": o.written}})
	}
	if !strings.Contains(string(page), v.String()) {
		t.Errorf("it does not show:\n%s", v)
	}
}
