package validate

// differ compares two logs of one partition in lockstep. Where they part it looks ahead on both sides for the nearest place where
// they meet again, as diff does:
//
//	source       a b c d e        c, d skipped; x inserted
//	destination  a b x e
//
// What was skipped and what was inserted is settled against each other, also from afar: a record that was skipped here and
// inserted there is out of order, not lost and duplicated. What remains at the end is lost, or too many.
type differ struct {
	source, destination window
	lookahead           int // entries, on each side
	scanned             int // how many on both sides are indexed
	seen                bloom
	missing, strays     leftovers
	report              *Partition
	label               func(source, destination entry) string // what is wrong with the label of one that arrived; nil: none has any
}

const (
	lookahead     = 1 << 17
	leftoverLimit = 1 << 18
)

func newDiffer(source, destination stream, report *Partition) *differ {
	return &differ{
		source: window{next: source}, destination: window{next: destination}, lookahead: lookahead,
		seen: newBloom(), missing: newLeftovers(), strays: newLeftovers(), report: report,
	}
}

// run compares to the end of both. What is missing or a stray then is left in the two fields, for another partition may explain it.
func (d *differ) run() error {
	for {
		a, moreSource, err := d.source.at(0)
		if err != nil {
			return err
		}
		b, moreDestination, err := d.destination.at(0)
		if err != nil {
			return err
		}
		switch {
		case !moreSource && !moreDestination:
			return nil
		case moreSource && moreDestination && a.print == b.print:
			d.match(a, b)
		default:
			if err := d.resync(); err != nil {
				return err
			}
		}
	}
}

func (d *differ) match(a, b entry) {
	d.seen.add(a.print)
	if d.label != nil {
		if wrong := d.label(a, b); wrong != "" {
			d.report.note(Example{Kind: Mislabelled, SourceOffset: a.offset, DestinationOffset: b.offset, Detail: wrong})
		}
	}
	d.source.take(1)
	d.destination.take(1)
	d.scanned = max(0, d.scanned-1)
	d.report.SourceRecords++
	d.report.DestinationRecords++
}

// resync skips entries on both sides up to where they meet, or all where they don't before their end. Where they don't within the
// lookahead it gives up the first on each side.
func (d *differ) resync() error {
	for ; d.scanned < d.lookahead; d.scanned++ {
		skip, insert, met, err := d.meet(d.scanned)
		if err != nil {
			return err
		}
		if met {
			d.restart(skip, insert)
			return nil
		}
		if d.source.ended && d.destination.ended && len(d.source.queue) <= d.scanned+1 && len(d.destination.queue) <= d.scanned+1 {
			d.restart(len(d.source.queue), len(d.destination.queue))
			return nil
		}
	}
	d.settle(1, 1)
	d.scanned--
	return nil
}

func (d *differ) restart(skip, insert int) {
	d.settle(skip, insert)
	d.source.index, d.destination.index, d.scanned = nil, nil, 0
}

// meet looks at the entries n ahead on both sides, and says whether one of them is among those indexed on the other.
func (d *differ) meet(n int) (skip, insert int, met bool, err error) {
	a, inSource, err := d.source.at(n)
	if err != nil {
		return 0, 0, false, err
	}
	b, inDestination, err := d.destination.at(n)
	if err != nil {
		return 0, 0, false, err
	}
	if inSource {
		d.source.learn(n)
	}
	if inDestination {
		d.destination.learn(n)
	}
	skip, insert = -1, -1
	if inSource {
		if l, ok := d.destination.find(a.print); ok {
			skip, insert, met = n, l, true
		}
	}
	if inDestination {
		if k, ok := d.source.find(b.print); ok && (!met || k+n < skip+insert) {
			skip, insert, met = k, n, true
		}
	}
	return skip, insert, met, nil
}

// settle takes entries from both sides and accounts for them.
func (d *differ) settle(skip, insert int) {
	d.report.SourceRecords += int64(min(skip, len(d.source.queue)))
	d.report.DestinationRecords += int64(min(insert, len(d.destination.queue)))
	skipped := d.unexplained(d.source.take(min(skip, len(d.source.queue))), &d.strays, func(here, there entry) Example {
		return Example{Kind: OutOfOrder, SourceOffset: here.offset, DestinationOffset: there.offset}
	})
	inserted := d.unexplained(d.destination.take(min(insert, len(d.destination.queue))), &d.missing, func(here, there entry) Example {
		return Example{Kind: OutOfOrder, SourceOffset: there.offset, DestinationOffset: here.offset}
	})
	skipped, inserted = d.pair(skipped, inserted)
	for _, e := range skipped {
		if !d.missing.add(e) {
			d.report.note(Example{Kind: Lost, SourceOffset: e.offset, DestinationOffset: -1})
		}
	}
	for _, e := range inserted {
		if !d.strays.add(e) {
			d.surplus(e)
		}
	}
}

// unexplained returns the entries that have no equal among the other side's leftovers; one that has is out of order.
func (d *differ) unexplained(entries []entry, others *leftovers, example func(here, there entry) Example) []entry {
	var rest []entry
	for _, e := range entries {
		if there, ok := others.remove(e.print); ok {
			d.seen.add(e.print)
			d.report.note(example(e, there))
			continue
		}
		rest = append(rest, e)
	}
	return rest
}

// pair takes out pairs that are one record, changed. It looks a few entries ahead: more would pair strangers.
func (d *differ) pair(skipped, inserted []entry) (unpairedSkipped, unpairedInserted []entry) {
	const reach = 16
	for _, b := range inserted {
		i := 0
		for i < min(reach, len(skipped)) && !skipped[i].print.similar(b.print) {
			i++
		}
		if i >= min(reach, len(skipped)) || d.seen.has(b.print) {
			unpairedInserted = append(unpairedInserted, b)
			continue
		}
		a := skipped[i]
		unpairedSkipped = append(unpairedSkipped, skipped[:i]...)
		skipped = skipped[i+1:]
		d.report.note(Example{
			Kind: Different, SourceOffset: a.offset, DestinationOffset: b.offset, Detail: a.print.difference(b.print),
		})
	}
	return append(unpairedSkipped, skipped...), unpairedInserted
}

// surplus counts an entry at the destination that nothing explains.
func (d *differ) surplus(e entry) {
	kind := Unexpected
	if d.seen.has(e.print) {
		kind = Duplicated
	}
	d.report.note(Example{Kind: kind, SourceOffset: -1, DestinationOffset: e.offset})
}

// conclude counts what is left.
func (d *differ) conclude() {
	for _, e := range d.missing.inOrder() {
		d.report.note(Example{Kind: Lost, SourceOffset: e.offset, DestinationOffset: -1})
	}
	for _, e := range d.strays.inOrder() {
		d.surplus(e)
	}
}
