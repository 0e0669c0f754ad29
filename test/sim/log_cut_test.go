package sim

// epochEnd answers as OffsetForLeaderEpoch: the highest leader epoch up to the one asked for, and where it ends.
func (p *partition) epochEnd(asked int32) (epoch int32, end int64) {
	epoch = -1
	for i, x := range p.epochs {
		if x.epoch > asked && i == 0 { // it knows of none before
			return asked, x.start
		}
		if x.epoch > asked {
			return epoch, x.start
		}
		epoch = x.epoch
	}
	return epoch, p.end
}

// epochAt is the leader epoch of what lies at an offset.
func (p *partition) epochAt(at int64) (epoch int32) {
	for _, x := range p.epochs {
		if x.start <= at {
			epoch = x.epoch
		}
	}
	return epoch
}

// elect makes another broker the leader, which has all. An epoch without a record is forgotten.
func (p *partition) elect() {
	p.leader++
	for len(p.epochs) > 0 && p.epochs[len(p.epochs)-1].start >= p.end {
		p.epochs = p.epochs[:len(p.epochs)-1]
	}
	p.epochs = append(p.epochs, epochStart{p.leader, p.end})
}

// truncate is an unclean election: the new leader lacks what lies at an offset and behind. A broker cuts whole batches.
func (p *partition) truncate(to int64) {
	n := len(p.batches)
	for n > 0 && p.batches[n-1].next() > to && p.batches[n-1].base >= p.start {
		n--
	}
	p.batches = p.batches[:n:n]
	p.end = p.start
	if n > 0 {
		p.end = max(p.start, p.batches[n-1].next())
	}
	p.journal = append(p.journal, change{cut: p.end})
	p.producers = map[int64]*producer{}
	for _, b := range p.batches {
		p.know(b)
	}
	p.elect()
}

// retain deletes what lies before an offset.
func (p *partition) retain(from int64) { p.start = max(p.start, min(from, p.end)) }
