package offsetxlate

import (
	"errors"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/meshd/meshd/topology"
)

// anyView draws a view that need not make sense: whatever was read, in whatever order, of whatever was done by hand.
func anyView(t *rapid.T) GroupView {
	clusters := []topology.Alias{"us", "eu", "ap"}
	v := GroupView{Group: "g", Here: rapid.SampledFrom(clusters).Draw(t, "here"), Uncommitted: UncommittedStart}
	for n := range int32(2) {
		pv := PartitionView{Partition: Partition{Origin: "us", Topic: "orders", Number: n}}
		for _, c := range clusters {
			pv.Logs = append(pv.Logs, anyLog(t, c))
		}
		v.Partitions = append(v.Partitions, pv)
	}
	chain := rapid.Bool().Draw(t, "chain")
	for _, c := range clusters {
		s := Site{
			Cluster: c,
			Unread:  rapid.IntRange(0, 4).Draw(t, "unread") == 0,
			State:   rapid.SampledFrom([]GroupState{"", "Empty", "Empty", "Dead", "Stable"}).Draw(t, "state"),
		}
		if chain {
			s.Custody = anyCustody(t, clusters)
		}
		v.Sites = append(v.Sites, s)
	}
	return v
}

func anyLog(t *rapid.T, c topology.Alias) LogView {
	l := LogView{Cluster: c, Topic: "us.orders", Start: Dest(rapid.IntRange(0, 5).Draw(t, "start"))}
	l.End = l.Start + Dest(rapid.IntRange(0, 40).Draw(t, "end"))
	m := New(Point{})
	_ = m.Append(0, 0, rapid.Int64Range(1, 15).Draw(t, "first"))
	_ = m.Append(m.End().Src+2, m.End().Dst+1, rapid.Int64Range(1, 15).Draw(t, "second"))
	if rapid.Bool().Draw(t, "thin") {
		_ = m.Append(m.End().Src+1, m.End().Dst, 1)
		thinAll(m)
	}
	l.Map = m
	if c == "us" {
		l.Topic, l.Map = "orders", AtOrigin{}
	}
	if rapid.IntRange(0, 3).Draw(t, "has commit") > 0 {
		l.Commit = &Commit{Offset: Dest(rapid.IntRange(0, 40).Draw(t, "commit"))}
	}
	return l
}

func anyCustody(t *rapid.T, clusters []topology.Alias) Custody {
	c := Custody{}.Clone()
	for _, alias := range clusters {
		if rapid.IntRange(0, 9).Draw(t, "in the chain") > 0 {
			c.join(alias)
			c.see(alias, TopicPartition{"us.orders", 0}, Dest(rapid.IntRange(0, 30).Draw(t, "seen")))
		}
	}
	if rapid.Bool().Draw(t, "placed") {
		c.Places[TopicPartition{"us.orders", 0}] = Commit{Offset: Dest(rapid.IntRange(0, 30).Draw(t, "place"))}
		c.Vector[Partition{"us", "orders", 0}] = Source(rapid.IntRange(0, 30).Draw(t, "vector"))
	}
	return c
}

// TestDecideHolds draws anything and holds what must be true of every decision.
func TestDecideHolds(t *testing.T) {
	placed := 0
	rapid.Check(t, func(t *rapid.T) {
		v := anyView(t)
		d := Decide(v)
		if again := Decide(v); !reflect.DeepEqual(d, again) {
			t.Fatalf("not the same twice: %+v and %+v", d, again)
		}
		var here Site
		for _, s := range v.Sites {
			if s.Cluster == v.Here {
				here = s
			}
			if d.Write && !s.Unread && !grew(s.Custody, d.Custody) {
				t.Fatalf("custody shrank: %+v to %+v", s.Custody, d.Custody)
			}
		}
		for i, p := range d.Placements {
			l := v.Partitions[i].at(v.Here)
			if !p.Place() {
				continue
			}
			placed++
			if here.Unread || here.State.members() || d.Custody.Separate || !d.Write {
				t.Fatalf("placed: %+v, at %+v", p, here)
			}
			if p.Offset < l.Start || p.Offset > l.End || (l.Commit != nil && p.Offset <= l.Commit.Offset) {
				t.Fatalf("placed: %+v, in %+v over %v", p, l, l.Commit)
			}
			if d.Custody.Places[p.At] != (Commit{p.Offset, p.Metadata}) || d.Custody.Clusters[v.Here] == nil {
				t.Fatalf("placed: %+v, written: %+v", p, d.Custody)
			}
		}
	})
	if placed == 0 {
		t.Error("nothing was ever placed")
	}
}

func grew(from, to Custody) bool {
	for alias, seen := range from.Clusters {
		if to.Clusters[alias] == nil {
			return false
		}
		for tp, at := range seen {
			if to.Clusters[alias][tp] < at {
				return false
			}
		}
	}
	for p, at := range from.Vector {
		if to.Vector[p] < at {
			return false
		}
	}
	return to.Separate || !from.Separate
}

// TestStates takes what is not known to be without members for a group that has them.
func TestStates(t *testing.T) {
	for state, want := range map[GroupState]bool{
		"": false, "Empty": false, "Dead": false, "Stable": true, "PreparingRebalance": true, "CompletingRebalance": true,
		"Assigning": true, "Reconciling": true, "NotReady": true, "Unknown": true,
	} {
		if got := state.members(); got != want {
			t.Errorf("%q: %t", state, got)
		}
	}
}

func TestCustodyCodec(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyCustody(t, []topology.Alias{"us", "eu"})
		b, err := c.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := DecodeCustody(b); err != nil || !reflect.DeepEqual(c, again) {
			t.Fatalf("%s: %+v, %v", b, again, err)
		}
	})
}

func TestDecodeCustodyRefuses(t *testing.T) {
	for _, tc := range []struct {
		text string
		want error
	}{
		{``, ErrCorrupt},
		{`null`, ErrCorrupt},
		{`{}`, ErrCorrupt},
		{`{"version":1`, ErrCorrupt},
		{`{"version":1}{}`, ErrCorrupt},
		{`{"version":1,"other":2}`, ErrCorrupt},
		{`{"version":2,"other":2}`, ErrFuture},
		{`{"version":0}`, ErrCorrupt},
		{`{"version":1,"vector":{"us/orders/0":-1}}`, ErrCorrupt},
		{`{"version":1,"vector":{"us/orders":1}}`, ErrCorrupt},
		{`{"version":1,"vector":{"/orders/0":1}}`, ErrCorrupt},
		{`{"version":1,"places":{"orders/0":{"offset":-1}}}`, ErrCorrupt},
		{`{"version":1,"places":{"orders":{"offset":1}}}`, ErrCorrupt},
		{`{"version":1,"places":{"orders/-1":{"offset":1}}}`, ErrCorrupt},
		{`{"version":1,"places":{"orders/4294967296":{"offset":1}}}`, ErrCorrupt},
		{`{"version":1,"places":{"/0":{"offset":1}}}`, ErrCorrupt},
		{`{"version":1,"clusters":{"us":{"orders/0":-1}}}`, ErrCorrupt},
		{`{"version":1,"clusters":{"us":{"orders/0":"1"}}}`, ErrCorrupt},
	} {
		if _, err := DecodeCustody([]byte(tc.text)); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", tc.text, err, tc.want)
		}
	}
}

// FuzzDecodeCustody takes anything; what decodes comes back the same.
func FuzzDecodeCustody(f *testing.F) {
	f.Add([]byte(`{"version":1,"clusters":{"eu":{"us.orders/0":105},"us":{}},"places":{"us.orders/0":{"offset":1,"metadata":"m"}}}`))
	f.Add([]byte(`{"version":1,"vector":{"us/orders/0":111},"separate":true}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := DecodeCustody(b)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrFuture) {
				t.Fatalf("unclassified: %v", err)
			}
			return
		}
		out, err := c.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := DecodeCustody(out); err != nil || !reflect.DeepEqual(c, again) {
			t.Fatalf("%s: %+v, %v", out, again, err)
		}
	})
}
