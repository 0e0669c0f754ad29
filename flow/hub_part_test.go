package flow

import (
	"encoding/binary"
	"hash/crc32"
	"testing"
	"time"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
)

// waiter is an owner that remembers that a map was asked for.
type waiter struct {
	mute
	maps, looked int
}

func (w *waiter) needMap(*part)    { w.maps++ }
func (w *waiter) outOfRange(*part) { w.looked++ }

// byWriter is a batch as a writer of a hub's sent it, under an epoch of its id 7.
func byWriter(t *testing.T, offset int64, leader int32, epoch int16, n int) []byte {
	t.Helper()
	b := batchAt(t, offset, leader, n, 10)
	binary.BigEndian.PutUint64(b[43:], 7)
	binary.BigEndian.PutUint16(b[51:], uint16(epoch))
	binary.BigEndian.PutUint32(b[53:], 0)
	binary.BigEndian.PutUint32(b[17:], crc32.Checksum(b[21:], crc32.MakeTable(crc32.Castagnoli)))
	return b
}

// overHub is a part of prefix naming that reads origin 2 at hub 1, whose map is m.
func overHub(t *testing.T, o partOwner, m *offsetxlate.Map) *part {
	t.Helper()
	p := loose(o)
	p.Origin, p.Source = "a", "h"
	r := newRegistered(nil)
	r.writers.ReadSince(1 << 62)
	if err := r.writers.Register(7, 2); err != nil {
		t.Fatal(err)
	}
	p.sieve = &sieve{registered: r, origin: 2, prefix: &loop.PrefixJudge{Destination: 0, Source: 1, Origin: 2}, translated: &translated{}}
	if p.mapRead(0, m, nil, noter{kafka.ProducerID{ID: 7, Epoch: 1}, time.Now(), -1}, nil) {
		t.Fatal("the map is no news")
	}
	return p
}

func mapped(t *testing.T, n int64) *offsetxlate.Map {
	t.Helper()
	m := offsetxlate.New(offsetxlate.Point{})
	if err := m.Append(0, 0, n); err != nil {
		t.Fatal(err)
	}
	return m
}

// The hub lost what it had from 50 on, while a reader that has its map stood at 50. What the hub's next epoch wrote there is not what the map
// says: behind its marker at 50 comes what lay at 50 before.
func TestMapOfWhatAHubLostIsNotCountedOn(t *testing.T) {
	w := &waiter{}
	p := overHub(t, w, mapped(t, 100))
	fetched(p, 100, byWriter(t, 0, 3, 1, 50))
	_, m := p.noteEntry()
	p.noted(m)
	p.onAck(Ack{Base: 100})
	if p.written != 50 {
		t.Fatalf("%d records were written: %s %s", p.written, p.state, p.reason)
	}
	fetched(p, 61, byWriter(t, 51, 4, 2, 10))
	if p.assigned != 50 && p.prog.SourceOf(50) != 50 {
		t.Errorf("the record that lies at 50 at its origin was taken for that at %d", p.prog.SourceOf(50))
	}
	if w.maps == 0 {
		t.Error("the map was not asked for again")
	}
}

// What is read where the source's log was cut off is another log: when it was fetched for the first time is told anew.
func TestACutLogIsFetchedAnew(t *testing.T) {
	w := &waiter{}
	p := overHub(t, w, mapped(t, 100))
	b := byWriter(t, 20, 3, 1, 10)
	p.sieve.remember(nil, b, 5)
	p.at, p.lastEpoch = 30, 3
	p.tookBack(srcPlace{10, 2}, "it parted")
	if tick := p.sieve.first(byWriter(t, 20, 4, 2, 10), 9); tick != 9 || w.looked == 0 {
		t.Errorf("a batch that was fetched at 9 counts as fetched at %d", tick)
	}
}

// A place was found by notes of before the hub lost what they speak of. What its next owner wrote may lie before it: the place is looked for again.
func TestAPlaceByOlderNotesIsLookedForAgain(t *testing.T) {
	w := &waiter{}
	p := overHub(t, w, mapped(t, 100))
	p.at, p.state = nowhere, Backoff
	p.found(60, loop.Start, loop.Start, noter{kafka.ProducerID{ID: 7, Epoch: 1}, time.Now(), -1})
	fetched(p, 90, byWriter(t, 60, 4, 2, 10))
	if !p.lookedFor() || w.looked != 1 || p.assigned != 0 {
		t.Fatalf("it reads at %d, and has taken %d records", p.at, p.assigned)
	}
	p.found(51, loop.Start, loop.Start, noter{kafka.ProducerID{ID: 7, Epoch: 2}, time.Now(), -1})
	p.mapRead(0, mapped(t, 100), nil, noter{kafka.ProducerID{ID: 7, Epoch: 2}, time.Now(), -1}, nil)
	fetched(p, 90, byWriter(t, 51, 4, 2, 10))
	if p.assigned != 10 {
		t.Fatalf("it reads at %d, and has taken %d records: %s", p.at, p.assigned, p.reason)
	}
}

// An id that is not the owner's is that of an owner before, if the notes were read behind its batch.
func TestOwnersUnderOtherIDs(t *testing.T) {
	s := &sieve{}
	b := byWriter(t, 0, 1, 0, 1)
	as := noter{kafka.ProducerID{ID: 8}, time.Now().Add(-time.Hour), -1}
	if !s.older(as, b) {
		t.Error("notes of before the batch were counted on")
	}
	if as.read = time.Now(); s.older(as, b) {
		t.Error("notes of behind the batch were not")
	}
}
