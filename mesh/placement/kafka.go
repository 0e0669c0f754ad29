package placement

import (
	"maps"
	"time"

	"github.com/meshd/meshd/topology"
)

// Kafka is what one destination cluster says of who writes into it: the registrations of meshd.writers and the heartbeats of
// meshd.nodes. Its owner reads both topics from their beginning and tells it what it read; times are those of the reader, who must
// not let two calls overlap. The zero Kafka was never read.
type Kafka struct {
	ReadAt  time.Time // when the reader last knew that it stood at the end of both topics; zero: never yet
	Since   time.Time // since when it has watched, pauses left out
	Holders map[topology.Shard]Holder
}

// Holder is the last registration of a shard.
type Holder struct {
	Node     string
	Epoch    uint64    // Held.Epoch of the holding that registered
	Seq      int64     // its place among the registrations of the cluster: the offset in meshd.writers
	Moved    time.Time // when the reader last saw it make progress: the registration, or a heartbeat that names the shard
	Released bool      // the holder said that it let go of what it registered at Seq
}

// Registered notes a registration. One that is not after the last of its shard is an echo.
func (k *Kafka) Registered(shard topology.Shard, node string, epoch uint64, seq int64, now time.Time) {
	if last, ok := k.Holders[shard]; ok && seq <= last.Seq {
		return
	}
	if k.Holders == nil {
		k.Holders = map[topology.Shard]Holder{}
	}
	k.Holders[shard] = Holder{Node: node, Epoch: epoch, Seq: seq, Moved: now}
}

// Beat notes a heartbeat of a node: the shards whose runner turns, be they idle, and those that it let go of, each with the Seq of
// the registration that it held by.
func (k *Kafka) Beat(node string, progress []topology.Shard, released map[topology.Shard]int64, now time.Time) {
	for _, shard := range progress {
		if h, ok := k.Holders[shard]; ok && h.Node == node {
			h.Moved = now
			k.Holders[shard] = h
		}
	}
	for shard, seq := range released {
		if h, ok := k.Holders[shard]; ok && h.Node == node && seq >= h.Seq {
			h.Released = true
			k.Holders[shard] = h
		}
	}
}

// Read notes that the reader stands at the end of both topics. Only time that it spent watching counts as standing still: not what
// lies before its first read, and no pause since the last one, in which Kafka was away for all, or this process was stopped.
func (k *Kafka) Read(now time.Time) {
	first, gap := k.ReadAt.IsZero(), now.Sub(k.ReadAt)
	k.ReadAt = now
	if first {
		k.Since = now
	} else if gap > pause {
		k.Since = earlier(k.Since.Add(gap), now)
	}
	for shard, h := range k.Holders {
		if first {
			h.Moved = now
		} else if gap > pause {
			h.Moved = earlier(h.Moved.Add(gap), now)
		}
		k.Holders[shard] = h
	}
}

// pause is the longest time between two reads in which a node counts as watched.
const pause = time.Second

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// Clone returns a copy that later notes don't change.
func (k *Kafka) Clone() Kafka {
	return Kafka{ReadAt: k.ReadAt, Since: k.Since, Holders: maps.Clone(k.Holders)}
}

func (k *Kafka) fresh(now time.Time, within time.Duration) bool {
	return !k.ReadAt.IsZero() && now.Sub(k.ReadAt) <= within
}

// Epoch returns the highest epoch that anybody registered with.
func (k *Kafka) Epoch() uint64 {
	var highest uint64
	for _, h := range k.Holders {
		highest = max(highest, h.Epoch)
	}
	return highest
}
