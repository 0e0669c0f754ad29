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
	pairs  map[topology.Pair]since // of all partitions of the pair
	totals map[flowKey]Totals
	stuck  map[string]string // what does not go on -> the code of its reason
	errors map[string]uint64 // code -> how often something came to have it
	spells map[problemKey]spell
	shape  shape
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
		parts: map[partKey]*partTrack{}, pairs: map[topology.Pair]since{}, totals: map[flowKey]Totals{},
		stuck: map[string]string{}, errors: map[string]uint64{}, spells: map[problemKey]spell{},
	}
}

// look takes in a snapshot that was made at now. t may be nil.
func (k *tracker) look(now time.Time, s flow.Status, t *topology.Topology) {
	parts, pairs := make(map[partKey]*partTrack, len(k.parts)), map[topology.Pair]since{}
	for _, p := range s.Pairs {
		at := pairOf(p)
		writers := writersOf(p)
		for _, ps := range p.Partitions {
			key := partKey{flowKey{at, ps.Topic}, ps.Partition}
			track := k.parts[key]
			if track == nil {
				track = &partTrack{since: since{at: now}}
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

// completePair is the earliest of all partitions. While a pair does not know its partitions, or lacks those of topics that are stopped, that
// stands still.
func (k *tracker) completePair(now time.Time, p flow.PairStatus, parts map[partKey]*partTrack) since {
	whole := p.Ready && p.Reason == nil && stopped(p) == nil
	if before, seen := k.pairs[pairOf(p)]; seen && !whole && (len(p.Partitions) == 0 || stopped(p) != nil) {
		return before
	}
	if len(p.Partitions) == 0 {
		return since{now, whole}
	}
	earliest := since{now, true}
	for _, ps := range p.Partitions {
		part := parts[partKey{flowKey{pairOf(p), ps.Topic}, ps.Partition}].since
		if part.at.Before(earliest.at) || part.at.Equal(earliest.at) && !part.known {
			earliest = part
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
	shape := k.shapeOf(t)
	maps.DeleteFunc(k.totals, func(key flowKey, _ Totals) bool {
		return t != nil && shape[key.Pair] == nil || looked[key.Pair] && !found[key]
	})
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

// since is a time. If it is known, all that the source had then is at the destination. If not, it is when this node took charge.
type since struct {
	at    time.Time
	known bool
}

// seconds is how long ago that was; nil where nothing can be said yet.
func (s since) seconds(now time.Time) *float64 {
	if !s.known && !s.at.Before(now) {
		return nil
	}
	return new(max(0, now.Sub(s.at)).Seconds())
}

// partTrack is what is remembered of one partition.
type partTrack struct {
	since
	from     topology.Alias // where it is read
	askedAt  time.Time      // the source's end was askedEnd then; zero: nothing is asked
	askedEnd int64
	last     flow.Stats
	writer   string
}

// look moves the time on. A partition is complete up to the moment at which the last stable offset of the log that is read was one below
// which all is acknowledged by now. One such moment is waited for at a time, so under load the answer is up to two looks too old.
func (p *partTrack) look(s flow.PartStatus) {
	if p.from != s.From { // the numbers of another log
		p.from, p.askedAt, p.known = s.From, time.Time{}, false
	}
	if s.Lag < 0 || s.Stats.SeenAt.IsZero() || !p.askedAt.IsZero() && s.Read < p.askedEnd {
		return
	}
	if !p.askedAt.IsZero() {
		p.complete(p.askedAt)
	}
	p.askedAt, p.askedEnd = s.Stats.SeenAt, s.Stats.SourceStable
	if s.Read >= p.askedEnd {
		p.complete(p.askedAt)
	}
}

func (p *partTrack) complete(at time.Time) {
	if !p.known || at.After(p.at) {
		p.since = since{at, true}
	}
}

// count returns what came since the last look. A partition counts from 0 again when it is opened anew, under another writer or not.
func (p *partTrack) count(now flow.Stats, writer string) Totals {
	last := totalsOf(p.last)
	if writer != p.writer {
		last = Totals{}
	}
	p.last, p.writer = now, writer
	return totalsOf(now).since(last)
}
