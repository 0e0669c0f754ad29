package admin

import (
	"maps"
	"time"

	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/topology"
)

// tracker remembers what a single snapshot of the data path can't tell: up to when a partition is complete, how much was copied
// in all, and how often something ceased to go on. It has no clock; the time is an argument.
type tracker struct {
	parts  map[partKey]*partTrack
	pairs  map[topology.Pair]time.Time // up to when the whole pair is complete; else when it was first seen
	totals map[flowKey]Totals
	stuck  map[string]string // what does not go on -> the code of its reason
	errors map[string]uint64 // code -> how often something came to have it
}

type flowKey struct {
	topology.Pair
	topic string
}

type partKey struct {
	flowKey
	number int32
}

func newTracker() *tracker {
	return &tracker{
		parts: map[partKey]*partTrack{}, pairs: map[topology.Pair]time.Time{}, totals: map[flowKey]Totals{},
		stuck: map[string]string{}, errors: map[string]uint64{},
	}
}

// look takes in a snapshot that was made at now. t may be nil.
func (k *tracker) look(now time.Time, s flow.Status, t *topology.Topology) {
	parts, pairs := map[partKey]*partTrack{}, map[topology.Pair]time.Time{}
	for _, p := range s.Pairs {
		at := pairOf(p)
		writers := writersOf(p)
		for _, ps := range p.Partitions {
			key := partKey{flowKey{at, ps.Topic}, ps.Partition}
			track := k.parts[key]
			if track == nil {
				track = &partTrack{complete: now}
			}
			track.look(ps)
			k.totals[key.flowKey] = k.totals[key.flowKey].plus(track.count(ps.Stats, writers[ps.Shard]))
			parts[key] = track
		}
		pairs[at] = k.completePair(now, p, parts)
	}
	k.parts, k.pairs = parts, pairs
	k.forget(s, t)
	k.countErrors(s)
}

func pairOf(p flow.PairStatus) topology.Pair {
	return topology.Pair{Source: p.Source, Destination: p.Destination}
}

func writersOf(p flow.PairStatus) map[int]string {
	out := make(map[int]string, len(p.Shards))
	for _, s := range p.Shards {
		out[s.Number] = s.Writer
	}
	return out
}

// completePair is the time up to which all partitions are complete. While a pair does not know its partitions, that stands still.
func (k *tracker) completePair(now time.Time, p flow.PairStatus, parts map[partKey]*partTrack) time.Time {
	if len(p.Partitions) == 0 {
		before, seen := k.pairs[pairOf(p)]
		if !seen || p.Ready && p.Reason == nil {
			return now
		}
		return before
	}
	earliest := now
	for _, ps := range p.Partitions {
		if at := parts[partKey{flowKey{pairOf(p), ps.Topic}, ps.Partition}].complete; at.Before(earliest) {
			earliest = at
		}
	}
	return earliest
}

// forget drops the sums of what is no more: pairs that the topology does not have, and topics that a pair does not find. The sums of
// a pair that merely went to another node stay.
func (k *tracker) forget(s flow.Status, t *topology.Topology) {
	found := map[flowKey]bool{}
	looked := map[topology.Pair]bool{}
	for _, p := range s.Pairs {
		looked[pairOf(p)] = p.Ready && p.Reason == nil
		for _, topic := range p.Topics {
			found[flowKey{pairOf(p), topic.Topic}] = true
		}
	}
	listed := pairsOf(t)
	maps.DeleteFunc(k.totals, func(key flowKey, _ Totals) bool {
		return t != nil && listed[key.Pair] == nil || looked[key.Pair] && !found[key]
	})
}

func pairsOf(t *topology.Topology) map[topology.Pair]*topology.Link {
	out := map[topology.Pair]*topology.Link{}
	if t == nil {
		return out
	}
	for p, l := range t.Pairs() {
		out[p] = l
	}
	return out
}

// countErrors counts each time that something comes to have a reason that it did not have a look earlier.
func (k *tracker) countErrors(s flow.Status) {
	stuck := map[string]string{}
	for what, r := range reasons(s) {
		stuck[what] = r.Code
		if k.stuck[what] != r.Code {
			k.errors[r.Code]++
		}
	}
	k.stuck = stuck
}

// partTrack is what is remembered of one partition.
type partTrack struct {
	complete time.Time // all that the source had then is at the destination; or, before that is known, when this node took it
	askedAt  time.Time // the source's end was askedEnd then; zero: nothing is asked
	askedEnd int64
	last     flow.Stats
	writer   string
}

// look moves the complete time on. Something is complete up to the moment at which the source's last stable offset was one that
// is acknowledged by now. One such moment is waited for at a time, so under load the answer is up to two looks too old.
func (p *partTrack) look(s flow.PartStatus) {
	if s.Lag < 0 || s.Stats.SeenAt.IsZero() {
		return
	}
	if !p.askedAt.IsZero() && s.Next < p.askedEnd {
		return
	}
	if p.askedAt.After(p.complete) {
		p.complete = p.askedAt
	}
	p.askedAt, p.askedEnd = s.Stats.SeenAt, s.Stats.SourceStable
	if s.Next >= p.askedEnd && p.askedAt.After(p.complete) {
		p.complete = p.askedAt
	}
}

// count returns what came since the last look. A partition counts from 0 again when it is opened anew, under another writer or not.
func (p *partTrack) count(now flow.Stats, writer string) Totals {
	last := p.last
	if writer != p.writer || now.Records < last.Records || now.Bytes < last.Bytes || now.Aborted < last.Aborted || now.GapRecords < last.GapRecords {
		last = flow.Stats{}
	}
	p.last, p.writer = now, writer
	return Totals{
		Records: now.Records - last.Records, Bytes: now.Bytes - last.Bytes,
		Aborted: now.Aborted - last.Aborted, GapRecords: now.GapRecords - last.GapRecords,
	}
}
