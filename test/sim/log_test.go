package sim

import (
	"errors"
	"slices"
	"sort"

	"github.com/meshd/meshd/kafka"
)

// batch is a record batch as a log holds it.
type batch struct {
	base    int64
	leader  int32            // leader epoch
	by      kafka.ProducerID // id -1: none
	seq     int32
	control bool
	records []record
}

func (b *batch) next() int64 { return b.base + int64(max(1, len(b.records))) }

// What a broker answers.
var (
	errNotLeader = errors.New("not the leader any more")
	errFenced    = errors.New("invalid producer epoch")
	errSequence  = errors.New("out of order sequence")
	errRange     = errors.New("offset out of range")
	errTopic     = errors.New("unknown topic id")
)

// partition is a log and what its leader knows of producers. All that was appended and not cut off stays in batches; retention only moves
// start.
type partition struct {
	batches    []*batch
	start, end int64
	leader     int32
	epochs     []epochStart
	producers  map[int64]*producer
	journal    []change
}

type epochStart struct {
	epoch int32
	start int64
}

// producer is what a leader knows of one: its epoch, its next sequence number and its last batches.
type producer struct {
	epoch int16
	next  int32
	last  []*batch
}

// change is what happened to a log; for the audit.
type change struct {
	put *batch // nil: cut off
	cut int64
}

const remembered = 5 // batches of a producer

func newPartition() *partition {
	return &partition{epochs: []epochStart{{0, 0}}, producers: map[int64]*producer{}}
}

// produce is an idempotent producer's batch; a batch that is there already is answered with its place.
func (p *partition) produce(b batch, leader int32) (base int64, err error) {
	if leader != p.leader {
		return 0, errNotLeader
	}
	if s := p.producers[b.by.ID]; s != nil {
		for _, old := range s.last {
			if b.by.Epoch == s.epoch && old.seq == b.seq && len(old.records) == len(b.records) {
				return old.base, nil
			}
		}
		switch {
		case b.by.Epoch < s.epoch:
			return 0, errFenced
		case b.by.Epoch > s.epoch && b.seq != 0, b.by.Epoch == s.epoch && b.seq != s.next:
			return 0, errSequence
		}
	}
	return p.put(b), nil
}

// mark appends the marker of a producer's epoch.
func (p *partition) mark(by kafka.ProducerID) (at int64, err error) {
	if s := p.producers[by.ID]; s != nil && by.Epoch < s.epoch {
		return 0, errFenced
	}
	return p.put(batch{by: by, control: true}), nil
}

func (p *partition) put(b batch) int64 {
	b.base, b.leader = p.end, p.leader
	p.batches = append(p.batches, &b)
	p.journal = append(p.journal, change{put: &b})
	p.end = b.next()
	p.know(&b)
	return b.base
}

func (p *partition) know(b *batch) {
	if b.by.ID < 0 {
		return
	}
	s := p.producers[b.by.ID]
	if s == nil || s.epoch < b.by.Epoch {
		s = &producer{epoch: b.by.Epoch}
		p.producers[b.by.ID] = s
	}
	if b.control {
		return
	}
	s.next = b.seq + int32(len(b.records))
	s.last = append(s.last, b)
	s.last = slices.Clone(s.last[max(0, len(s.last)-remembered):])
}

// fetch returns a few batches from an offset on. Where the log is not the one in which the reader's last batch had that leader epoch, it
// says up to where it is: a leader epoch, and its end.
func (p *partition) fetch(at int64, last int32, most int) (got []*batch, diverged *epochStart, err error) {
	if e, end := p.epochEnd(last); last >= 0 && (e < last || end < at) {
		return nil, &epochStart{e, end}, nil
	}
	if at < p.start || at > p.end {
		return nil, nil, errRange
	}
	i := p.from(at)
	return p.batches[i:min(len(p.batches), i+most)], nil, nil
}

// from is the index of the batch that holds an offset, or of the first one behind it.
func (p *partition) from(at int64) int {
	return sort.Search(len(p.batches), func(i int) bool { return p.batches[i].next() > at })
}

// retained are the batches that can be read.
func (p *partition) retained() []*batch { return p.batches[p.from(p.start):] }
