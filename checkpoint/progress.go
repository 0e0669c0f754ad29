package checkpoint

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
	"github.com/meshd/meshd/topology"
)

// Progress is how far a shard's writer has come in one partition, and what its sequence numbers mean.
//
// Each epoch counts the records that it writes to a partition from 0, and a batch in the destination's log carries that count.
// So the last batch of an epoch, together with the epoch's Progress, says where to go on (Resume).
type Progress struct {
	Owner   kafka.ProducerID
	SrcID   [16]byte // topic ids, to notice a topic that was made again
	DstID   [16]byte
	Written int64              // records that this epoch had written when the next two were true
	Source  offsetxlate.Source // next offset of the origin's log
	Dest    offsetxlate.Dest   // next offset after the last acknowledged record, or after the fence's marker
	// SourceEpoch is the leader epoch of the last record before Source, and DestEpoch that of the log at Dest; -1 where unknown.
	SourceEpoch, DestEpoch int32
	Incarnation            int32 // of the origin's topic
	// Read is where reading goes on.
	Read Place
	// Gaps are what the destination has passed without having it.
	Gaps loop.Gaps
	// Ahead are the runs that follow: from record number Written on, the epoch's records come from Source+0, +1, ...
	// until a run says otherwise. A run is noted here, acknowledged, before its first record is produced.
	Ahead []Run
	// SourceEnd and SeenAt (ms) tell how far the source had come when it was last seen.
	SourceEnd offsetxlate.Source
	SeenAt    int64
}

// Run says that record number Written of an epoch, and those after it, lie at Source, Source+1, ... of the origin's log, in batches of
// the leader epoch Epoch; -1 where unknown.
type Run struct {
	Written int64
	Source  offsetxlate.Source
	Epoch   int32
}

// Place is where records of an origin are read: at the origin itself, or at another cluster that has them. There it may lie too early, and
// never too late.
type Place struct {
	Cluster topology.Alias // "" for nowhere
	TopicID [16]byte
	At      int64
	Epoch   int32 // leader epoch of what is before it there; -1 unknown
}

// Frontier is the first coordinate that is not settled at the destination.
func (p Progress) Frontier() loop.Coordinate {
	return loop.Coordinate{Incarnation: p.Incarnation, Epoch: p.SourceEpoch, Offset: int64(p.Source)}
}

// PartitionKey is the key of a partition's progress: the topic as it is named at the origin, and the partition.
func PartitionKey(topic string, partition int32) string {
	return topic + "/" + strconv.Itoa(int(partition))
}

// SplitKey takes a PartitionKey apart.
func SplitKey(key string) (topic string, partition int32, err error) {
	topic, num, ok := strings.Cut(key, "/")
	n, nerr := strconv.ParseInt(num, 10, 32)
	if !ok || topic == "" || nerr != nil || n < 0 {
		return "", 0, fmt.Errorf("key %q does not name a partition", key)
	}
	return topic, int32(n), nil
}

const progressVersion = 2

var errShortProgress = errors.New("progress record is cut short")

// Encode writes p: a version byte, two topic ids, then varints; then the place where it is read: the cluster's alias
// behind its length and, unless it is nowhere, a topic id and two varints; and the frontier with its gaps (loop.AppendFrontier).
func (p Progress) Encode() []byte {
	b := make([]byte, 0, 96+10*len(p.Ahead))
	b = append(b, progressVersion)
	b = append(b, p.SrcID[:]...)
	b = append(b, p.DstID[:]...)
	for _, v := range []int64{
		p.Owner.ID, int64(p.Owner.Epoch), p.Written, int64(p.Source), int64(p.Dest),
		int64(p.SourceEpoch), int64(p.DestEpoch), int64(p.Incarnation), int64(p.SourceEnd), p.SeenAt, int64(len(p.Ahead)),
	} {
		b = binary.AppendVarint(b, v)
	}
	for _, r := range p.Ahead {
		b = binary.AppendVarint(b, r.Written)
		b = binary.AppendVarint(b, int64(r.Source))
		b = binary.AppendVarint(b, int64(r.Epoch))
	}
	end := p.Frontier()
	if n := len(p.Gaps); n > 0 && end.Less(p.Gaps[n-1].To) { // noted before the frontier passes it
		end = p.Gaps[n-1].To
	}
	return loop.AppendFrontier(p.Read.append(b), end, p.Gaps)
}

func (h Place) append(b []byte) []byte {
	b = append(b, byte(len(h.Cluster)))
	if h.Cluster == "" {
		return b
	}
	b = append(append(b, h.Cluster...), h.TopicID[:]...)
	return binary.AppendVarint(binary.AppendVarint(b, h.At), int64(h.Epoch))
}

func (v *varints) place() (h Place) {
	if len(v.b) == 0 {
		v.bad = true
		return h
	}
	n := int(v.b[0])
	if v.b = v.b[1:]; n == 0 {
		return h
	}
	if len(v.b) < n+16 {
		v.bad = true
		return h
	}
	h.Cluster = topology.Alias(v.b[:n])
	copy(h.TopicID[:], v.b[n:])
	v.b = v.b[n+16:]
	h.At, h.Epoch = v.next(), int32(v.next())
	return h
}

// DecodeProgress reads what Encode wrote, and refuses everything else.
func DecodeProgress(b []byte) (Progress, error) {
	var p Progress
	if len(b) < 33 {
		return p, errShortProgress
	}
	if b[0] != progressVersion {
		return p, fmt.Errorf("progress record has version %d: a newer meshd wrote it", b[0])
	}
	copy(p.SrcID[:], b[1:17])
	copy(p.DstID[:], b[17:33])
	d := varints{b: b[33:]}
	p.Owner.ID, p.Owner.Epoch = d.next(), int16(d.next())
	p.Written, p.Source, p.Dest = d.next(), offsetxlate.Source(d.next()), offsetxlate.Dest(d.next())
	p.SourceEpoch, p.DestEpoch, p.Incarnation = int32(d.next()), int32(d.next()), int32(d.next())
	p.SourceEnd, p.SeenAt = offsetxlate.Source(d.next()), d.next()
	n := d.next()
	if d.bad || n < 0 || n > int64(len(d.b)) {
		return p, errShortProgress
	}
	for range n {
		p.Ahead = append(p.Ahead, Run{d.next(), offsetxlate.Source(d.next()), int32(d.next())})
	}
	if p.Read = d.place(); d.bad {
		return p, errShortProgress
	}
	next, gaps, err := loop.DecodeFrontier(d.b)
	if err != nil {
		return p, fmt.Errorf("progress record: %w", err)
	}
	p.Gaps = gaps
	if end := p.Frontier(); end != next && (len(gaps) == 0 || next != gaps[len(gaps)-1].To || next.Less(end)) {
		return p, errShortProgress
	}
	return p, nil
}

// varints reads one varint after another; after a bad one it stays bad.
type varints struct {
	b   []byte
	bad bool
}

func (v *varints) next() int64 {
	x, n := binary.Varint(v.b)
	if n <= 0 {
		v.bad, v.b = true, nil
		return 0
	}
	v.b = v.b[n:]
	return x
}
