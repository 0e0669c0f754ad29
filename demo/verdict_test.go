package demo

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/meshd/meshd/topology"
)

// fine is a mesh in which n records of each partition are where they should be, and which the group has read.
func fine(naming Naming, n int) evidence {
	e := evidence{naming: naming, clusters: places, logs: map[topology.Alias]logs{}}
	for _, at := range places {
		e.logs[at] = logs{}
		for _, origin := range places {
			for p := range int32(partitions) {
				where := place{naming.named(origin, at), p}
				for seq := range int64(n) {
					i := id{origin, p, seq}
					e.logs[at][where] = append(e.logs[at][where], entry{i, 10 + seq})
					if at == origin {
						e.acked, e.read = append(e.acked, i), append(e.read, i)
					}
				}
			}
		}
	}
	return e
}

// log is the log at a place, to be changed.
func (e evidence) change(at topology.Alias, topic string, p int32, f func([]entry) []entry) {
	where := place{topic, p}
	e.logs[at][where] = f(slices.Clone(e.logs[at][where]))
}

func TestAFineMeshIsFine(t *testing.T) {
	for _, naming := range []Naming{Prefix, Identity} {
		v := judge(fine(naming, 20))
		if !v.OK() || len(v.Wrong) > 0 {
			t.Fatalf("%s: %s%s", naming, v, v.Wrong)
		}
		us := v.Origins[0]
		if us.Written != 80 || us.Arrived["eu"] != 80 || us.Arrived["ap"] != 80 || v.Group.Read != 240 {
			t.Errorf("%s: wrong counts:\n%s", naming, v)
		}
	}
}

// Each way in which a mesh can be wrong is seen, as what it is, and as nothing else.
func TestEachMistakeIsSeen(t *testing.T) {
	rec := id{"us", 2, 5}
	for name, c := range map[string]struct {
		do   func(*evidence)
		want Origin // of us
		grp  Reading
	}{
		"a record is missing in eu": {
			func(e *evidence) {
				e.change("eu", "us.orders", 2, func(es []entry) []entry { return slices.Delete(es, 5, 6) })
			}, Origin{Lost: 1}, Reading{},
		},
		"everything is missing in ap": {
			func(e *evidence) { delete(e.logs["ap"], place{"us.orders", 2}) }, Origin{Lost: 20}, Reading{},
		},
		"a record is twice in eu": {
			func(e *evidence) {
				e.change("eu", "us.orders", 2, func(es []entry) []entry { return append(es, entry{rec, 99}) })
			}, Origin{Duplicated: 1}, Reading{},
		},
		"a record is twice where it was written": {
			func(e *evidence) {
				e.change("us", "orders", 2, func(es []entry) []entry { return append(es, entry{rec, 99}) })
			}, Origin{Duplicated: 1}, Reading{},
		},
		"a record came back to where it was written": {
			func(e *evidence) {
				e.change("us", "eu.orders", 2, func(es []entry) []entry { return append(es, entry{rec, 99}) })
			}, Origin{Looped: 1}, Reading{},
		},
		"a copy was copied": {
			func(e *evidence) {
				e.change("ap", "eu.us.orders", 2, func(es []entry) []entry { return append(es, entry{rec, 0}) })
			}, Origin{Looped: 1}, Reading{},
		},
		"a copy lies among local records": {
			func(e *evidence) {
				e.change("eu", "orders", 2, func(es []entry) []entry { return append(es, entry{rec, 99}) })
			}, Origin{Looped: 1}, Reading{},
		},
		"a record went to another partition": {
			func(e *evidence) {
				e.change("eu", "us.orders", 2, func(es []entry) []entry { return slices.Delete(es, 5, 6) })
				e.change("eu", "us.orders", 3, func(es []entry) []entry { return append(es, entry{rec, 99}) })
			}, Origin{Lost: 1, Looped: 1}, Reading{},
		},
		"a record that nobody wrote": {
			func(e *evidence) {
				e.change("eu", "us.orders", 2, func(es []entry) []entry { return append(es, entry{id{"us", 2, 999}, 99}) })
			}, Origin{Looped: 1}, Reading{},
		},
		"two records changed places": {
			func(e *evidence) {
				e.change("eu", "us.orders", 2, func(es []entry) []entry {
					es[5], es[6] = es[6], es[5]
					return es
				})
			}, Origin{OutOfOrder: 1}, Reading{},
		},
		"an acknowledged record is nowhere": {
			func(e *evidence) { e.acked = append(e.acked, id{"us", 2, 999}) }, Origin{Lost: 1}, Reading{},
		},
		"the group skipped a record": {
			func(e *evidence) { e.read = slices.DeleteFunc(e.read, func(i id) bool { return i == rec }) }, Origin{}, Reading{Skipped: 1},
		},
		"the group read more again than was announced": {
			func(e *evidence) { e.read, e.announced = append(e.read, rec, rec), 1 }, Origin{}, Reading{Reread: 2, Announced: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := fine(Prefix, 20)
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
			if g := v.Group; g.Skipped != c.grp.Skipped || g.Reread != c.grp.Reread || g.Announced != c.grp.Announced {
				t.Errorf("of the group, counted %+v, want %+v", g, c.grp)
			}
		})
	}
}

func mistakes(o Origin) [4]int { return [4]int{o.Lost, o.Duplicated, o.Looped, o.OutOfOrder} }

// What is wrong is printed, and is the error that makes the command fail.
func TestWrongIsAnError(t *testing.T) {
	for name, c := range map[string]struct {
		e    evidence
		want error
		text string
	}{
		"fine":  {fine(Prefix, 3), nil, "Every record arrived once"},
		"wrong": {fine(Prefix, 0), ErrWrong, "Something is wrong"},
	} {
		var out bytes.Buffer
		s := &story{screen: newScreen(&out, false, 0, Prefix)}
		if err := s.conclude(judge(c.e)); !errors.Is(err, c.want) || !strings.Contains(out.String(), c.text) {
			t.Errorf("%s: %v\n%s", name, err, &out)
		}
	}
}

// Reading again what was announced is no mistake, nor is an unknown outcome: a record that was not acknowledged and is there.
func TestWhatIsNoMistake(t *testing.T) {
	e := fine(Prefix, 20)
	e.read, e.announced = append(e.read, e.read[0]), 3
	e.acked = e.acked[1:]
	if v := judge(e); !v.OK() {
		t.Errorf("%s%s", v, v.Wrong)
	}
}

// A mesh in which nothing was written, or nothing read, proves nothing.
func TestNothingIsNoSuccess(t *testing.T) {
	if judge(fine(Prefix, 0)).OK() {
		t.Error("an empty mesh passes")
	}
	e := fine(Prefix, 1)
	e.logs["eu"][place{topic, 0}] = nil
	if judge(e).OK() {
		t.Error("an empty log passes")
	}
}

// Whatever is taken away, put in or moved in any log, the verdict is no longer fine.
func TestAnyChangeIsSeen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const n = 4
		naming := rapid.SampledFrom([]Naming{Prefix, Identity}).Draw(t, "naming")
		e := fine(naming, n)
		at := rapid.SampledFrom(places).Draw(t, "at")
		origin := rapid.SampledFrom(places).Draw(t, "origin")
		p := rapid.Int32Range(0, partitions-1).Draw(t, "partition")
		other := id{rapid.SampledFrom(places).Draw(t, "of"), rapid.Int32Range(0, partitions-1).Draw(t, "from"), rapid.Int64Range(0, n-1).Draw(t, "seq")}
		kind := rapid.SampledFrom([]string{"take", "put", "swap"}).Draw(t, "kind")
		e.change(at, naming.named(origin, at), p, func(es []entry) []entry {
			k := rapid.IntRange(0, len(es)-1).Draw(t, "place")
			switch kind {
			case "take":
				return slices.Delete(es, k, k+1)
			case "put":
				return slices.Insert(es, k, entry{other, 5})
			}
			m := (k + 1) % len(es)
			if es[k].id.origin == at || es[k].id.origin != es[m].id.origin {
				t.Skip("the order in which records were written is the right one, and that of records of two clusters is none")
			}
			es[k], es[m] = es[m], es[k]
			return es
		})
		if v := judge(e); v.OK() {
			t.Fatalf("%s at %s: not seen\n%s", kind, at, v)
		}
	})
}
