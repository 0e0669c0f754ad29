package flow

import (
	"fmt"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/offsetxlate"
)

// tookBackError says that in a copy which another cluster keeps, what the origin had from an offset on lies behind other records of these
// offsets: the origin lost those in an unclean election, and that cluster went on with what it has now.
type tookBackError struct {
	from offsetxlate.Source
	high offsetxlate.Source // behind what was met before
}

func (e *tookBackError) Error() string {
	return fmt.Sprintf("the origin lost offsets %d to %d and has others there", e.from, e.high-1)
}

// tookBackAtHub does what tookBack does where the origin itself is read. It is called with the lock held.
func (p *part) tookBackAtHub(e *tookBackError) {
	r := kafka.Because(kafka.SourceTruncated, fmt.Sprintf("%v: cluster %s, where it is read, went on with those", e, p.Source),
		"an unclean leader election lost records there; set on_gap: continue to keep what was copied and go on with what the origin has now")
	if p.stopUnderWay(r) {
		return
	}
	if p.OnGap != "continue" || e.from < p.xlate.End().Src && !p.xlate.TruncateSource(e.from) {
		p.stop(Failed, r)
		return
	}
	if now := offsetxlate.Source(p.frontier(p.assigned).Offset); e.from < now {
		p.lose(int64(e.from), int64(now), &p.stats.Lacks.Truncated, "the origin lost them after they were copied, and the copy keeps them")
		p.addRun(p.assigned, srcRun{source: e.from, epoch: -1})
	}
	p.sieve.goesOnAt(e.from)
	p.dirty = true
	p.recover()
}
