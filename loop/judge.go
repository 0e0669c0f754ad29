package loop

import "github.com/meshd/meshd/topology"

// Provenance is how a topic's records show where they came from.
type Provenance uint8

// Provenances.
const (
	Headers Provenance = iota // each record that crosses is stamped
	Batches                   // the registry of writers alone; for two clusters
)

// ProvenanceOf is that of a topic with these settings. It means something with identity naming only.
func ProvenanceOf(s topology.LinkSettings) Provenance {
	if s.Naming == topology.Identity && s.Provenance == topology.ProvenanceBatch {
		return Batches
	}
	return Headers
}

// Batch is what the judge must know of a record batch.
type Batch struct {
	Magic       int8
	Control     bool
	ProducerID  int64
	LeaderEpoch int32
	First, Last int64 // offsets at the source
	Fetched     Tick  // when the answer that brought it had arrived
}

// Place is what the map of a cluster says of a place in its log.
type Place uint8

// Places.
const (
	NotCovered Place = iota // the map does not reach the place yet, or does not tell
	Elsewhere               // the origin's writer did not write there; also where the cluster has no map of the origin at all
	Here                    // the origin's writer wrote there, beyond doubt
)

// Map answers for the source's own maps of this partition: whether the writer of the header's origin wrote the record at offset, which is
// one of batch b. It must not allocate, nor keep the header.
type Map interface {
	Place(b Batch, h Header, offset int64) Place
}

// Judge judges one partition of one identity topic on its way from one cluster to another, for the destination's writers. The
// fields may be changed between two verdicts. It is not safe for concurrent use.
type Judge struct {
	Destination, Source Origin
	Topic               uint32 // TopicTag
	Number              int32  // of the partition
	Provenance          Provenance
	Incarnation         int32 // of the topic at the source
	Origins             *Origins
	Writers             *Writers   // of the source
	Taken               *Frontiers // of the destination, with what is under way
	Part                Part
	From                []bool     // by origin: whether it is taken from this source
	Behind              *Frontiers // of the source: its gaps; nil where it can have none, as the origin itself
	BehindPart          Part       // the partition's number there
	BehindAsOf          Tick       // when the reading of its gaps began
	Map                 Map
}

func (j *Judge) takes(o Origin) bool { return int(o) < len(j.From) && j.From[o] }

func (j *Judge) at(epoch int32, offset int64) Coordinate {
	return Coordinate{j.Incarnation, epoch, offset}
}

// Batch judges a batch without a look at its records, as far as that is possible.
func (j *Judge) Batch(b Batch) Ruling {
	switch {
	case j.Writers.lost:
		return Ruling{Act: Stop, Why: LostRegistry}
	case j.Writers.twice:
		return Ruling{Act: Stop, Why: TwoOrigins}
	case b.Magic < 2:
		return Ruling{Act: Stop, Why: OldFormat}
	case b.Control:
		return Ruling{Act: Suppress, Why: Marker, Origin: j.Source, At: j.at(b.LeaderEpoch, b.Last)}
	}
	o, known := j.Writers.whose(b.ProducerID, b.Fetched)
	switch {
	case !known:
		return Ruling{Act: Wait, Why: Barrier}
	case o == local:
		return j.localBatch(b)
	}
	return j.writersBatch(o)
}

func (j *Judge) localBatch(b Batch) Ruling {
	v := Ruling{Origin: j.Source, Why: Produced, At: j.at(b.LeaderEpoch, b.Last)}
	next := j.Taken.Next(j.Source, j.Part)
	switch {
	case !j.takes(j.Source):
		v.Act, v.Why = Suppress, OtherSource
	case v.At.Less(next):
		v.Act, v.Why = Suppress, Seen
	case j.Provenance == Headers, j.at(b.LeaderEpoch, b.First).Less(next):
		v.Act = Records
	default:
		v.Act = Deliver
	}
	return v
}

// writersBatch judges a batch that a registered writer wrote: all of its records are of one origin.
func (j *Judge) writersBatch(o Origin) Ruling {
	v := Ruling{Act: Suppress, Origin: o, Why: Carried}
	switch {
	case o == j.Destination:
		v.Why = Own
	case o == j.Source: // a writer never writes at home what was produced there
		v.Act, v.Why = Stop, WrongHeader
	case j.Provenance == Batches:
		v.Act, v.Why = Stop, ThirdCluster
	case !j.takes(o):
		v.Why = OtherSource
	default:
		v.Act = Records
	}
	return v
}
