package flow

import (
	"sync"

	"github.com/meshd/meshd/kafka/batch"
)

const (
	mergeBelow = 16 << 10  // a batch smaller than this is merged with its neighbours: a broker takes one batch a partition a request
	mergeUpTo  = 256 << 10 // bytes of a merged batch before compression
	mergeMost  = 512       // batches in it
)

// recoders are shared by the parts that merge: few do at a time.
var recoders = sync.Pool{New: func() any { return newRecoder() }}

// mergeHead makes one batch of the small ones at the head of the queue, as far as their runs are noted. It is called with the lock
// held. Where it can't, the batches go out one by one.
func (p *part) mergeHead() {
	n := p.mergeable()
	if n < 2 {
		return
	}
	rec := recoders.Get().(*recoder)
	defer recoders.Put(rec)
	merged := rec.merge(p.queue[:n])
	if merged == nil {
		return
	}
	taken := 0
	for count := int32(0); count < merged.count; taken++ {
		count += p.queue[taken].count
		p.queued -= len(p.queue[taken].Data)
		p.queue[taken].lease.done()
		p.queue[taken] = nil
	}
	p.queue = p.queue[taken-1:]
	p.queue[0] = merged
	merged.lease = p.budget.own(len(merged.Data))
	p.queued += len(merged.Data)
	p.stats.Merged += int64(taken)
}

// mergeable counts the chunks at the head that are small, of one codec, and may go out.
func (p *part) mergeable() int {
	size, n := 0, 0
	for _, c := range p.queue {
		size += len(c.Data)
		if len(c.Data) >= mergeBelow || size > mergeUpTo || n == mergeMost || c.first+int64(c.count) > p.unnoted ||
			batch.Batch(c.Data).Codec() != batch.Batch(p.queue[0].Data).Codec() {
			break
		}
		n++
	}
	return n
}

// merge makes one chunk of the first chunks, of as many as fit; nil if that is not more than one.
func (c *recoder) merge(chunks []*chunk) *chunk {
	c.begin(batch.Batch(chunks[0].Data).Codec(), mergeUpTo)
	out := &chunk{first: chunks[0].first, prior: chunks[0].prior, from: chunks[0].from}
	taken := 0
	for _, x := range chunks {
		if fits, err := c.b.AppendBatch(c.r, batch.Batch(x.Data)); !fits || err != nil {
			break
		}
		out.runs = appendRuns(out.runs, x.runs)
		out.next, out.epoch, out.stamp = x.next, x.epoch, max(out.stamp, x.stamp)
		taken++
	}
	data, err := c.finish()
	if taken < 2 || err != nil {
		return nil
	}
	out.Data, out.Own, out.count = data, true, data.Count()
	if c.check(data) != nil {
		return nil
	}
	return out
}

// check reads a built batch once more, in full: a broker does not look at the records of a batch.
func (c *recoder) check(b batch.Batch) error { return c.r.Check(b) }

// appendRuns joins runs that go on where the one before ends.
func appendRuns(runs, more []srcRun) []srcRun {
	for _, r := range more {
		if n := len(runs); n > 0 && runs[n-1].goesOn(r) {
			runs[n-1].count += r.count
			continue
		}
		runs = append(runs, r)
	}
	return runs
}
