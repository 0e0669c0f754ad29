package sim

import (
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
)

// translate makes the offset map of a part anew from what lies where.
func (p *part) translate() {
	p.xlate, p.from = offsetxlate.New(offsetxlate.Point{}), 0
	for _, x := range p.places.list {
		p.translateOne(x.offset, x.at)
	}
	_ = p.xlate.AdvanceDest(offsetxlate.Dest(p.marker + 1)) // below the end of what lies there
}

// translateOne adds a record. What the origin took back is forgotten before: it is known by an offset that goes back.
func (p *part) translateOne(offset int64, at loop.Coordinate) {
	source := offsetxlate.Source(at.Offset)
	if at.Incarnation != p.from {
		p.xlate, p.from = offsetxlate.New(offsetxlate.Point{Dst: offsetxlate.Dest(offset)}), at.Incarnation
	}
	if source < p.xlate.End().Src && !p.xlate.TruncateSource(source) {
		panic("a map that was never thinned can't forget")
	}
	if err := p.xlate.Append(source, offsetxlate.Dest(offset), 1); err != nil {
		panic(err)
	}
}

// checkTranslations looks for an answer that skips: a record that is not consumed, before the place that is given for it.
func (a *audit) checkTranslations() {
	for _, w := range a.s.writers {
		if w.stage != open || w.dead {
			continue
		}
		for _, p := range w.parts {
			if p.stop == "" && p.src.cluster >= 0 {
				a.checkTranslation(w, p)
			}
		}
	}
}

func (a *audit) checkTranslation(w *writer, p *part) {
	log, start := a.logs[logKey{w.d, p.key}], a.s.clusters[w.d].topics[p.name].parts[p.number].start
	for x := offsetxlate.Source(0); x <= p.xlate.End().Src+1; x += 3 {
		to := p.xlate.ToDest(x)
		for _, e := range log.list {
			h := a.homes[e.name]
			if h.cluster != w.o || h.lost || h.at.Incarnation != p.from || e.offset < max(start, int64(p.xlate.Start().Dst)) {
				continue
			}
			if h.at.Offset >= int64(x) && e.offset < int64(to.Offset) {
				a.fault("P4: %s: %s: whoever consumed up to %d of %s goes on at %d, and %s lies at %d", w, p.key, x, name(w.o), to.Offset, e.name, e.offset)
			}
		}
	}
}
