package loop

// PrefixJudge judges one topic with prefix naming on its way from one cluster to another. Its name tells the origin, also over a hub, and
// records are not touched; so batches are judged alone.
type PrefixJudge struct {
	Destination, Source Origin
	Origin              Origin   // of the topic: Source if it is local there, else that of which it is the copy
	Writers             *Writers // of the source
}

// Batch judges a batch. Of a remote topic only what the origin's own writer wrote is sent on, of a local one only what no writer wrote.
func (j *PrefixJudge) Batch(b Batch) Ruling {
	r := Ruling{Act: Stop, Origin: j.Origin}
	remote := j.Origin != j.Source
	switch {
	case j.Writers.lost:
		r.Why = LostRegistry
		return r
	case j.Writers.twice:
		r.Why = TwoOrigins
		return r
	case j.Origin == j.Destination:
		r.Act, r.Why = Suppress, Own
		return r
	case b.Magic < 2 && remote: // the topic's format took the producer ids away
		r.Why = OldFormat
		return r
	case b.Control:
		r.Act, r.Why = Suppress, Marker
		return r
	case b.Magic < 2:
		b.ProducerID = -1
	}
	o, known := j.Writers.whose(b.ProducerID, b.Fetched)
	switch {
	case !known:
		r.Act, r.Why = Wait, Barrier
	case !remote && o == local:
		r.Act, r.Why = Deliver, Produced
	case !remote:
		r.Act, r.Why = Suppress, ByWriter
	case o == j.Origin:
		r.Act, r.Why = Deliver, Carried
	case o == local:
		r.Act, r.Why = Suppress, ByApplication
	default:
		r.Why = WrongHeader // a writer of another origin
	}
	return r
}
