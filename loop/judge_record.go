package loop

// Record judges one record of a batch that Batch answered with Records. The header is the value of the last header named HeaderKey;
// stamped says that there is one.
func (j *Judge) Record(b Batch, of Ruling, offset int64, header []byte, stamped bool) Ruling {
	if of.Why == Carried {
		return j.carried(b, of, header, stamped)
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

func (j *Judge) carried(b Batch, of Ruling, header []byte, stamped bool) Ruling {
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
	v.Act, v.Why = Deliver, Carried
	if h.At != next && j.Behind != nil {
		j.jump(b, next, &v)
	}
	return v
}

// jump rules on a record that does not follow the frontier. A source notes a gap before it writes anything behind it, so only what was read of
// its gaps when the record had been fetched says that there is none. Up to where the first one begins, the source has left out nothing.
func (j *Judge) jump(b Batch, next Coordinate, v *Ruling) {
	if j.BehindAsOf <= b.Fetched {
		v.Act, v.Why = Wait, GapBarrier
		return
	}
	if gap, ok := j.Behind.Gaps(v.Origin, j.BehindPart).Between(next, v.At); ok {
		v.Act, v.Why, v.At = Wait, AtGap, gap.From
		if gap.From.Less(next) {
			v.At = next
		}
	}
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
	switch j.place(b, header, offset) {
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
func (j *Judge) place(b Batch, header []byte, offset int64) Place {
	h, err := DecodeHeader(header)
	if err != nil || h.Topic != j.Topic || h.Partition != j.Number {
		return Elsewhere
	}
	if o, ok := j.Origins.Find(h.Cluster); j.Map == nil || ok && o == j.Source {
		return Elsewhere
	}
	return j.Map.Place(b, h, offset) // also of a cluster that nobody has met: a registry that is lost names none
}
