package loop

import "testing"

func TestPrefixBatches(t *testing.T) {
	for _, c := range []struct {
		what   string
		origin Origin
		b      Batch
		act    Act
		why    Why
	}{
		{"local, an application's", eu, Batch{Magic: 2, ProducerID: 50}, Deliver, Produced},
		{"local, without an id", eu, Batch{Magic: 2, ProducerID: -1}, Deliver, Produced},
		{"local, an old format", eu, Batch{Magic: 1}, Deliver, Produced},
		{"local, a writer's", eu, Batch{Magic: 2, ProducerID: 30}, Suppress, ByWriter},
		{"local, an id never met", eu, Batch{Magic: 2, ProducerID: 60, Fetched: 20}, Wait, Barrier},
		{"local, a marker", eu, Batch{Magic: 2, ProducerID: 50, Control: true}, Suppress, Marker},
		{"remote, the writer's", ap, Batch{Magic: 2, ProducerID: 30}, Deliver, Carried},
		{"remote, an application's", ap, Batch{Magic: 2, ProducerID: 50}, Suppress, ByApplication},
		{"remote, without an id", ap, Batch{Magic: 2, ProducerID: -1}, Suppress, ByApplication},
		{"remote, another writer's", ap, Batch{Magic: 2, ProducerID: 40}, Stop, WrongHeader},
		{"remote, an old format", ap, Batch{Magic: 1}, Stop, OldFormat},
		{"the destination's own", us, Batch{Magic: 2, ProducerID: 20}, Suppress, Own},
	} {
		j := PrefixJudge{Destination: us, Source: eu, Origin: c.origin, Writers: newJudge(t).Writers}
		if r := j.Batch(c.b); r.Act != c.act || r.Why != c.why {
			t.Errorf("%s: %d %s, want %d %s", c.what, r.Act, r.Why, c.act, c.why)
		}
	}
	j := PrefixJudge{Destination: us, Source: eu, Origin: ap, Writers: newJudge(t).Writers}
	if n := testing.AllocsPerRun(100, func() { j.Batch(Batch{Magic: 2, ProducerID: 30}) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if j.Writers.Lose(); j.Batch(Batch{Magic: 2, ProducerID: 30}).Why != LostRegistry {
		t.Error("a lost registry does not stop it")
	}
}
