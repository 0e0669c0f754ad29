package flow

import (
	"testing"
	"time"

	"github.com/meshd/meshd/kafka"
)

// The origin lost what it had from 60 on, and others came to lie there; the hub went on with them. None of them is left out in silence where
// what lay there before has arrived.
func TestWhatAnOriginTookBackOverAHub(t *testing.T) {
	w := &waiter{}
	p := overHub(t, w, mapped(t, 100))
	fetched(p, 100, byWriter(t, 0, 3, 1, 100))
	_, n := p.noteEntry()
	p.noted(n)
	p.onAck(Ack{Base: 100})
	m := mapped(t, 100)
	if !m.TruncateSource(60) {
		t.Fatal("nothing was forgotten")
	}
	if err := m.Append(60, 100, 60); err != nil {
		t.Fatal(err)
	}
	for _, goesOn := range []bool{false, true} {
		p.retryAt = time.Time{}
		if goesOn {
			p.OnGap = "continue"
		}
		p.mapRead(0, m, nil, noter{kafka.ProducerID{ID: 7, Epoch: 1}, time.Now(), -1}, nil)
		fetched(p, 160, byWriter(t, 100, 3, 1, 60))
		if !goesOn && (p.state != Failed || p.reason.Code != kafka.SourceTruncated) {
			t.Fatalf("%s, %s: of 60 records %d were taken", p.state, p.reason, p.assigned-100)
		}
	}
	fetched(p, 160, byWriter(t, 100, 3, 1, 60))
	if p.assigned != 160 || p.stats.GapRecords != 40 {
		t.Errorf("%s, %s: of 60 records %d were taken, %d are said to be lost", p.state, p.reason, p.assigned-100, p.stats.GapRecords)
	}
}
