package loop

// Record judges one record of a batch that Batch answered with Records. The header is the value of the last header named HeaderKey;
// stamped says that there is one.
func (j *Judge) Record(b Batch, of Ruling, offset int64, header []byte, stamped bool) Ruling {
	if of.Why == Carried {
		return j.carried(of, header, stamped)
	}
	return j.localRecord(b, offset, header, stamped)
}

// Span judges a batch of a writer by what Record says of its first and its last record: a writer's records rise, so those between need no
// look if both are alike.
func (j *Judge) Span(first, last Ruling) Ruling {
	switch {
	case last.Act == Suppress && last.Why == Seen:
		return last
	case first.Act == Deliver && last.Act == Deliver && first.Why == Carried && last.Why == Carried && !last.At.Less(first.At):
		return last
	}
	first.Act, first.Why = Records, Carried
	return first
}

func (j *Judge) carried(of Ruling, header []byte, stamped bool) Ruling {
	v := Ruling{Act: Stop, Why: NoHeader, Origin: of.Origin}
	if !stamped {
		return v
	}
	h, err := DecodeHeader(header)
	if err != nil {
		if v.Why = BadHeader; err == ErrFuture { //nolint:errorlint // DecodeHeader returns it as it is, and this is asked for each record
			v.Why = FutureHeader
		}
		return v
	}
	if o, ok := j.Origins.Find(h.Cluster); !ok || o != of.Origin || h.Topic != j.Topic || h.Partition != j.Number {
		v.Why = WrongHeader
		return v
	}
	v.At = h.At
	next := j.Taken.Next(v.Origin, j.Part)
	if h.At.Less(next) {
		v.Act, v.Why = Suppress, Seen
		return v
	}
	if j.gapBetween(v.Origin, next, h.At) {
		v.Act, v.Why = Wait, AtGap
		return v
	}
	v.Act, v.Why = Deliver, Carried
	return v
}

func (j *Judge) gapBetween(o Origin, next, at Coordinate) bool {
	if j.Behind == nil {
		return false
	}
	_, gap := j.Behind.Gaps(o, j.Part).Between(next, at)
	return gap
}

func (j *Judge) localRecord(b Batch, offset int64, header []byte, stamped bool) Ruling {
	v := Ruling{Act: Deliver, Why: Produced, Origin: j.Source, At: j.at(b.LeaderEpoch, offset)}
	if v.At.Less(j.Taken.Next(j.Source, j.Part)) {
		v.Act, v.Why = Suppress, Seen
		return v
	}
	if j.Provenance == Batches {
		return v
	}
	v.Act = Stamp
	if !stamped {
		return v
	}
	v.Why = CopiedHeader
	switch j.place(header, offset) {
	case NotCovered:
		v.Act, v.Why = Wait, Uncovered
	case Here:
		v.Act, v.Why = Stop, LostRegistry
	default:
	}
	return v
}

// place says whether the origin's writer wrote the record at offset, though the registry does not know it: then the registry is lost. The
// map is asked for the place, not for the coordinate: an application may read at one cluster and write at another, where the original
// comes later or never. Headers that can't be those of this very log are copies anyway: of another topic or partition, unreadable, or of
// a record that is at home here.
func (j *Judge) place(header []byte, offset int64) Place {
	h, err := DecodeHeader(header)
	if err != nil || h.Topic != j.Topic || h.Partition != j.Number {
		return Elsewhere
	}
	o, ok := j.Origins.Find(h.Cluster)
	if !ok || o == j.Source || j.Map == nil {
		return Elsewhere
	}
	return j.Map.Place(o, h.At, offset)
}
