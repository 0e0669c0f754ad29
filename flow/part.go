package flow

import (
	"crypto/sha256"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
	"github.com/meshd/meshd/topology"
)

// Spec names one partition to copy.
type Spec struct {
	Origin   topology.Alias
	Topic    string // at the origin
	Number   int32
	Remote   string         // its name at the destination
	Source   topology.Alias // where it is read: the origin, or another cluster that has it
	At       string         // its name there
	SourceID [16]byte       // of the topic there
	Rebuilt  string         // the last time that the registries there were made again; what was passed before may have been judged by lost ones
	OriginID loop.ClusterID
	// Identity says that the copy is the topic of the same name, in which applications and other writers write too.
	Identity    bool
	Provenance  loop.Provenance
	Incarnation int32  // of the topic, where it is read at its origin; unlisted: the registry there does not know it
	Anew        string // id of the copy where it was made again and a person accepted that: it is filled from the beginning
	Lost        bool   // the destination's notes of how far anything had come from the origin were lost once
	Doubt       bool   // they may have been
	Several     bool   // clusters from which it may be read
	src         *Source
	held        *holdings          // of the source
	OnGap       string             // stop or continue
	Start       topology.Start     // for a partition without progress
	From        offsetxlate.Source // instead of Start, where another tool stopped; -1: none
	FromEpoch   int32              // leader epoch of what lies there; -1: not known
	FromTopic   int32              // incarnation of the topic of which that tool copied
	Cut         offsetxlate.Source // of an import at the origin: nothing below it was produced there, as far as anybody knows
	limit       *throttle          // nil: none
}

// readID is under what the place holds where reading goes on at another cluster than the origin: in this topic, and judged by these registries.
// With lost ones, what a writer wrote may have been passed as somebody else's.
func (s Spec) readID() (id [16]byte) {
	if !s.hub() || s.Rebuilt == "" {
		return s.SourceID
	}
	sum := sha256.Sum256(append(s.SourceID[:], s.Rebuilt...))
	copy(id[:], sum[:])
	return id
}

// hub says whether it is not read at its origin.
func (s Spec) hub() bool { return s.Source != s.Origin }

// Key is the partition's key in meshd's own topics.
func (s Spec) Key() string { return checkpoint.PartitionKey(s.Topic, s.Number) }

const (
	queueBytes  = 2 << 20          // a part asks for no more while it holds this much
	retryFailed = 15 * time.Second // a part that was refused tries again
	windowMost  = 5                // batches under way: a broker knows the last five of a producer, and takes a repeated one of them for what it is
	windowBytes = 2 << 20          // of them, but for a larger one alone
	windowAlone = time.Minute      // without an answer for so long, the next batch goes alone: a broker that forgot the writer would take the one behind it though it refused it
	shedAfter   = time.Second      // a part that is stuck holds nothing but what is under way
	stallAfter  = 10 * time.Second // and not even that
)

// chunk is one batch that is ready to be sent, but for its sequence.
type chunk struct {
	Flight
	lease *lease
	runs  []srcRun
	count int32
	next  offsetxlate.Source // after the last record of the batch, where it was read
	epoch int32              // leader epoch of the batch there
	prior int32              // leader epoch of the offset before it there; -1 unknown
	from  srcPlace           // where it was read
	stamp int64              // the largest timestamp in it, ms
	first int64              // number of its first record in this writer's epoch
}

// srcPlace is where to read in the source's log, and the leader epoch of the offset before that; -1 unknown. Where the source is not the
// origin, it is another log than that in which the records' offsets are.
type srcPlace struct {
	next  offsetxlate.Source
	epoch int32
}

// srcRun is a stretch of records as they lie at their origin, in batches of one leader epoch; -1 unknown.
type srcRun struct {
	source offsetxlate.Source
	count  int32
	epoch  int32
}

// goesOn says whether another run is the continuation of this one.
func (r srcRun) goesOn(o srcRun) bool {
	return r.epoch == o.epoch && r.source+offsetxlate.Source(r.count) == o.source
}

// part is the copy of one partition under one epoch of its shard's writer.
type part struct {
	Spec
	sieve  *sieve
	owner  partOwner
	outlet *Outlet
	id     kafka.ProducerID
	budget *Budget
	// mapBytes bounds the offset map in memory.
	mapBytes int

	mu      sync.Mutex
	state   State
	reason  kafka.Reason
	retryAt time.Time

	awaits    bool               // the source's registry of writers
	at        offsetxlate.Source // next source offset to fetch
	lastEpoch int32
	passed    srcPlace // what is behind the frontier at the source
	turns     []turn
	queue     []*chunk
	queued    int      // bytes
	busy      []*chunk // under way, the oldest first
	flying    int      // bytes of busy
	answered  time.Time
	memory    time.Duration // for how long a leader remembers a producer, by the timestamp of its last batch
	weak      bool          // a leader may have forgotten this writer, and its fence
	weakened  bool          // something old was sent since the last marker was asked for
	markAt    time.Time     // when it was
	youngest  int64         // timestamp of the youngest batch or marker of this epoch that was sent, ms
	markers   int           // markers that may lie behind the last record
	full      int           // it was asked what it wants, and held so many bytes or more; 0: it was not
	behind    bool          // the source has more than an answer brings
	assigned  int64         // records of this epoch that are in the queue or beyond
	sent      int64         // what the numbers below it mean stands, from when this epoch had the partition before
	unnoted   int64         // first record whose run is not acknowledged in the progress topic
	gone      int           // how often the part went back to what is acknowledged

	// prog is what the progress topic holds or is to hold next: the place of the last save, and every run since then. The
	// maps are saved before it, so that the runs from that place on are all that a successor needs to complete them.
	prog      checkpoint.Progress
	written   int64            // records of this epoch that are acknowledged
	dest      offsetxlate.Dest // next offset after the last of them
	xlate     *offsetxlate.Map
	mark      offsetxlate.Mark // what of the map is stored
	stale     []string         // keys of pages of another map in the store, to be deleted
	notBefore time.Time        // what is noted at a hub must have been read behind this, to find a place
	turn      *turning         // to another incarnation; nil: none is met
	dirty     bool
	ahead     bool               // the place in prog has moved since the maps were stored
	movedAt   time.Time          // when something was read last, or there was nothing to read
	unfilled  loop.Gap           // what no source could fill for a while
	bad       *badPlace          // the last batch that could not be read
	cutAt     offsetxlate.Source // where a batch came in parts last, plus one
	stepped   string             // what was left out last, for it could not be read; "" nothing
	broken    bool               // the epoch must end, or the part: what is under way stays as it is
	stats     Stats
	heard     *atomic.Int64 // when the lane that reads it was answered, in ns; nil: none does
	listens   time.Time     // since when that counts
	settled   chan struct{} // closed when nothing is under way any more; nil unless draining
}

// partOwner is what a part tells its shard.
type partOwner interface {
	needNote(*part)     // runs wait to be noted
	needTurn(*part)     // a later incarnation of its topic is met
	sure() bool         // this node was the owner a moment ago
	needProof(*part)    // whether it still is has to be asked
	needMap(*part)      // what its source's map says
	needPlaces(*part)   // where an origin's writer wrote at the source
	needGaps(*part)     // what its source lacks
	needRegistry(*part) // who wrote a batch at the source has to be read there
	foundStrange(p *part, from, to offsetxlate.Dest)
	partFailed(error)              // the shard must take a new epoch
	partStuck(*part, kafka.Reason) // the destination has not answered for so long that the part is to be given up, and opened anew
	outOfRange(*part)              // the source does not hold the place that is to be read
	staleSource(*part)             // the source's metadata was wrong
	wakeFetch(*part)               // there is room again
	acked(p *part, stamp int64)    // a batch arrived
	steppedOver(s Spec, from, to int64, why, hint string)
}

// Stats counts what happened to a part since it was opened.
type Stats struct {
	Records, Bytes  int64
	Copied, Recoded int64 // batches, by the way that they took
	Merged          int64 // batches that went out in one with others
	Corrupt         int64 // batches that could not be believed, or not read
	Gaps            int64 // stretches that the source did not hold, or that could not be read there, stepped over by policy
	GapRecords      int64
	Lacks           GapCounts // GapRecords, by why
	Aborted         int64     // records of aborted transactions that were left out
	Zombie          int64     // records that an older owner wrote behind the back of a later one
	Foreign         int64     // records that something else wrote into the copy, as far as they were seen
	Ruled           Ruled
	Recopied        int64 // source offsets that the destination had acknowledged, and lost
	SourceEnd       int64
	SourceStable    int64 // last stable offset: an open transaction holds back what is beyond
	SeenAt          time.Time
}

const nothingUnnoted = int64(1) << 62

// want is called by the fetcher: where to read, and whether to read at all now. If not, it is asked again when it wakes the fetcher, or
// at a time, if there is one. It may hold room bytes.
func (p *part) want(now time.Time, room int) (w kafka.Want, ok bool, again time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.state == Failed || p.state == Backoff:
		if now.Before(p.retryAt) {
			return w, false, p.retryAt
		}
	case p.awaits || p.state != CatchingUp && p.state != Streaming:
		return w, false, again
	}
	if p.queued+p.flying >= room || p.shedding() {
		p.full = room
		return w, false, again
	}
	if p.limit != nil {
		if again = p.limit.ready(now); !again.IsZero() {
			return w, false, again
		}
	}
	return kafka.Want{Offset: int64(p.at), LastEpoch: p.lastEpoch}, true, again
}
