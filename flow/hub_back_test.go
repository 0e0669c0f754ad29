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
	p.mapRead(0, m, nil, noter{kafka.ProducerID{ID: 7, Epoch: 1}, time.Now(), -1}, nil)
	fetched(p, 160, byWriter(t, 100, 3, 1, 60))
	if p.state != Failed && p.assigned != 160 {
		t.Errorf("%s: of 60 records %d were taken, and nothing is said", p.state, p.assigned-100)
	}
}
