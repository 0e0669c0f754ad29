package sim

import (
	"github.com/meshd/meshd/loop"
)

// Rules that are taken away.
const (
	trustHeaders         rule = "a header counts whoever wrote it"
	noBarrier            rule = "an unknown producer id is an application's, without a barrier"
	suppressedAdvances   rule = "what is left out counts as delivered"
	offsetOnly           rule = "frontiers are compared by offset alone"
	singleHop            rule = "only what was produced at the source is taken"
	progressFrontierLost rule = "the frontier is not taken over with progress"
	gapNotNoted          rule = "a gap is passed and not noted"
	registryLossIgnored  rule = "a lost registry is taken for a new one"
	gapBeginUnseen       rule = "where a gap begins is not passed to"
	samePart             rule = "a source's partitions have the numbers that they have here"
	noCatchUp            rule = "what a source passed without a record is waited for"
	staleGaps            rule = "a source's gaps may have been read before the batch"
)

// And of those that the caller keeps, not the package.
const (
	frontierAhead    rule = "the frontier that is saved runs ahead of the place it is saved with"
	epochUnnoted     rule = "progress does not say when the origin's leader epoch changes"
	epochUnasked     rule = "the first fetch does not carry the frontier's leader epoch"
	waitedNotFetched rule = "what waits for the map is not fetched again"
	nullIsEmpty      rule = "a value that is null is copied as an empty one"
	mapHoles         rule = "a record now and then is not in the offset map"
	nothingCut       rule = "the logs before a registry that was begun anew are read as before"
	hubEpochUnasked  rule = "the first fetch at a hub does not carry the leader epoch of which its map speaks"
	placeByOffset    rule = "a source's map is believed also where it has a later leader epoch than was read"
	goneUnmapped     rule = "what retention took before its map was stored is not in the map"
	newerFenced      rule = "who was replaced shuts out the id of who replaced it"
	zombieUnread     rule = "behind where a log parted nothing is read of what was written since"
	truncationMiss   rule = "a source's place is believed though its log was cut off behind it"
)

// ruleBatch is the package's ruling, a rule taken away.
func (s *sim) ruleBatch(j *loop.Judge, b loop.Batch) loop.Ruling {
	r := j.Batch(b)
	switch {
	case s.without(trustHeaders) && !b.Control && j.Provenance == loop.Headers:
		return loop.Ruling{Act: loop.Records, Why: loop.Produced, Origin: j.Source}
	case s.without(singleHop) && r.Act == loop.Records && r.Why == loop.Carried:
		return loop.Ruling{Act: loop.Suppress, Why: loop.OtherSource, Origin: r.Origin}
	}
	return r
}

// ruleRecord is the package's ruling on a record.
func (s *sim) ruleRecord(j *loop.Judge, in loop.Batch, of loop.Ruling, b *batch, i int) loop.Ruling {
	stamp, ok := b.records[i].stamp()
	if !s.without(trustHeaders) || j.Provenance != loop.Headers {
		return j.Record(in, of, b.base+int64(i), stamp, ok)
	}
	if !ok {
		of = j.Batch(in)
		if of.Act == loop.Records {
			return j.Record(in, of, b.base+int64(i), stamp, ok)
		}
		return of
	}
	h, err := loop.DecodeHeader(stamp)
	if err != nil {
		panic(err)
	}
	o, _ := j.Origins.Find(h.Cluster)
	switch {
	case o == j.Destination:
		return loop.Ruling{Act: loop.Suppress, Why: loop.Own, Origin: o}
	case int(o) >= len(j.From) || !j.From[o]:
		return loop.Ruling{Act: loop.Suppress, Why: loop.OtherSource, Origin: o}
	}
	return j.Record(in, loop.Ruling{Act: loop.Records, Why: loop.Carried, Origin: o}, b.base+int64(i), stamp, true)
}
