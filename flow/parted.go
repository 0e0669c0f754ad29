package flow

import (
	"slices"
	"time"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/offsetxlate"
)

// turn is where the leader epoch of what was read of the source changed.
type turn struct {
	at            offsetxlate.Source // nothing from here on is of the epoch before
	before, after int32
}

const turnsMost = 16 // that a part remembers

// turned remembers where the leader epoch changed.
func (p *part) turned(ts []turn) {
	p.turns = append(p.turns, ts...)
	if over := len(p.turns) - turnsMost; over > 0 {
		p.turns = append([]turn(nil), p.turns[over:]...)
	}
}

// tookBack is for a source whose log parts from what was read of it: it has an epoch, which is the last one that is not behind what was
// read, up to an offset. What was read and not sent is dropped: the rest may be as it was. With identity naming nobody has to decide: what
// was lost there stays here as part of what was produced there, and what comes now lies above it by its leader epoch.
func (p *part) tookBack(has srcPlace, text string) {
	if p.hub() { // what was read of it stays good: it is the origin's
		p.lookFor()
		return
	}
	p.sieve.seen = stretch{} // what lies there now was never fetched
	r := kafka.Because(kafka.SourceTruncated, text, "an unclean leader election lost records there, or the topic was made again: compare both topics, then remove and add the flow, or set on_gap: continue to keep what was copied and go on with what the source has now")
	if p.stopUnderWay(r) {
		return
	}
	at, known := p.parted(has)
	if p.Identity && !known && has.epoch >= 0 { // what the source has before that is of epochs that are settled here
		at, known = has.next, true
	}
	if p.OnGap != "continue" && !p.Identity || !known || !p.xlate.TruncateSource(at) {
		p.stop(Failed, r)
		return
	}
	p.goOnFrom(srcPlace{at, min(p.epochAt(at), has.epoch)}) // behind an epoch that it has not got it would part again
}

const tookBackWait = 100 * time.Millisecond // for what is under way to be answered

// stopUnderWay stops a part of which something is queued or under way: what is queued is dropped, and the part looks again once the rest was
// answered. False: there is nothing.
func (p *part) stopUnderWay(r kafka.Reason) bool {
	if len(p.queue)+len(p.busy) == 0 {
		return false
	}
	p.stop(Backoff, r)
	p.retryAt = time.Now().Add(tookBackWait)
	p.dropQueue()
	return true
}

// parted is where the logs part: where the source's epoch ends, or ended in what was read (KIP-101). It is not known where that was read by
// another owner.
func (p *part) parted(has srcPlace) (at offsetxlate.Source, known bool) {
	if has.epoch < 0 {
		return 0, false
	}
	if has.epoch == p.lastEpoch {
		return has.next, true
	}
	for _, t := range p.turns {
		if t.before <= has.epoch && has.epoch < t.after {
			return min(t.at, has.next), true
		}
	}
	return 0, false
}

// epochAt is the leader epoch of what was read before an offset. Where the source has one between that was never read, it has to be asked
// again, behind this one: its log may part from what was read still earlier.
func (p *part) epochAt(at offsetxlate.Source) int32 {
	epoch := p.lastEpoch
	for i := len(p.turns) - 1; i >= 0 && p.turns[i].at >= at; i-- {
		epoch = p.turns[i].before
	}
	return epoch
}

// forgetTurns forgets where the epochs changed in what is read anew.
func (p *part) forgetTurns(from offsetxlate.Source) {
	p.turns = slices.DeleteFunc(p.turns, func(t turn) bool { return t.at >= from })
}

// goOnFrom reads on at a place that was passed before: other records lie there now. What was copied of those before stays.
func (p *part) goOnFrom(to srcPlace) {
	p.lose(int64(to.next), int64(p.at), &p.stats.Lacks.Truncated, "the source's log was truncated: it lost records that were copied, and the copy keeps them")
	epoch := max(p.lastEpoch+1, p.frontier(p.assigned).Epoch) // who leads now came to lead behind all that was read, though its log may part earlier still
	p.addRun(p.assigned, srcRun{source: to.next, epoch: p.sieve.epoch(epoch)})
	p.prog.Advance(p.written, p.dest) // a part that goes back forgets what it noted
	p.at, p.lastEpoch, p.ahead = to.next, to.epoch, true
	p.forgetTurns(p.at)
	p.passed = to
	p.dirty = true
	p.recover()
}
