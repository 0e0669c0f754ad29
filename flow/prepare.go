package flow

import (
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/meshd/meshd/kafka/batch"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
)

// prepared is what a fetch brought for one partition, ready to be sent but for its sequences.
type prepared struct {
	sieve           *sieve
	fetched         loop.Tick // when the answer arrived
	chunks          []*chunk
	next            offsetxlate.Source // to be fetched next
	epoch           int32              // leader epoch of the last batch; -1 without one
	prior           int32              // leader epoch of the offset before next; -1 unknown
	from            srcPlace           // of the batch that is looked at
	copied, recoded int64
	aborted         int64
	turns           []turn // where its epochs changed
}

// prepare checks the batches of an answer and makes each ready: copied as it is, recoded where something in it must change, or
// left out. Records below from are dropped: a fetch begins with the whole batch that holds its offset; prior is the leader epoch of the
// offset before it. An error ends the answer at the batch that can't be believed, or that the sieve does not let pass; what is before it is
// good.
func prepare(rp *kmsg.FetchResponseTopicPartition, from offsetxlate.Source, prior int32, sieve *sieve, rec *recoder) (prepared, error) {
	p := prepared{sieve: sieve, fetched: sieve.fetched(), next: from, epoch: -1, prior: prior}
	aborted := newAborter(rp.AbortedTransactions)
	for data := rp.RecordBatches; len(data) > 0; {
		b, rest, err := batch.Next(data)
		if errors.Is(err, batch.ErrPartial) {
			return p, cut(data, rp.RecordBatches)
		}
		if err != nil {
			return p, err
		}
		data = rest
		if err := p.take(b, aborted, rec); err != nil {
			sieve.remember(data, b, p.fetched)
			return p, err
		}
	}
	return p, nil
}

// cut is no error where whole batches came before the one that is cut.
func cut(data, all []byte) error {
	switch {
	case len(data) < len(all):
		return nil
	case len(data) < 12:
		return &cutError{12, len(data)}
	}
	return &cutError{batch.Batch(data).Size(), len(data)}
}

func (p *prepared) take(b batch.Batch, aborted *aborter, rec *recoder) error {
	next := offsetxlate.Source(b.NextOffset())
	if next <= p.next {
		return nil
	}
	at, prior := srcPlace{p.next, p.prior}, p.prior
	p.from = at
	if offsetxlate.Source(b.BaseOffset()) > p.next {
		p.prior = -1 // of what compaction took in between
	}
	out, err := p.leftOut(b, aborted, rec)
	if err == nil && !out {
		err = p.judge(b, rec)
	}
	if err != nil {
		return err
	}
	if p.next = next; b.Magic() < 2 { // it has no leader epochs
		p.prior = p.epoch
		return nil
	}
	p.epoch = b.PartitionLeaderEpoch()
	if p.prior = p.epoch; prior >= 0 && p.epoch > prior {
		p.turns = append(p.turns, turn{at.next, prior, p.epoch})
	}
	return nil
}

// leftOut says whether nothing of a batch is for anybody.
func (p *prepared) leftOut(b batch.Batch, aborted *aborter, rec *recoder) (bool, error) {
	if b.Magic() < 2 { // transactions are not in it
		return false, nil
	}
	left := aborted.has(b) // of markers too: an answer may begin with that of a transaction whose records lie before it
	switch {
	case b.Control():
		abort, err := rec.isAbortMarker(b)
		if abort {
			delete(aborted.open, b.ProducerID())
		}
		return true, err
	case left:
		p.aborted += int64(b.Count())
		return true, nil
	}
	return b.Count() == 0, nil // everything in it was compacted away
}

// judge does with a batch what the sieve says of it.
func (p *prepared) judge(b batch.Batch, rec *recoder) error {
	v := p.sieve.batch(b, p.fetched)
	if v.Why == loop.Carried && p.sieve.misplaced(b) {
		return errMisplaced
	}
	switch v.Act {
	case loop.Deliver:
		if p.sieve.translated != nil {
			return p.addTranslated(b, rec)
		}
		if err := p.add(b, rec); err != nil {
			return err
		}
		p.sieve.took(v.At)
		return nil
	case loop.Records:
		return p.sift(b, v, rec)
	case loop.Suppress:
		if v.Why == loop.ByApplication {
			return p.sieve.byApplication(b, p.fetched)
		}
		return nil
	default:
		return &ruledError{v, b.BaseOffset(), false}
	}
}

func (p *prepared) add(b batch.Batch, rec *recoder) error {
	if offsetxlate.Source(b.BaseOffset()) < p.next || batch.CopyReason(b) != batch.Copy {
		return p.recode(b, rec)
	}
	p.copied++
	p.put(b, b, false, []srcRun{{offsetxlate.Source(b.BaseOffset()), b.Count(), p.sieve.epoch(epochOf(b))}})
	return nil
}

// recode adds what is wanted of a batch as a batch of its own.
func (p *prepared) recode(b batch.Batch, rec *recoder) error {
	data, runs, err := rec.recode(b, int64(p.next))
	if err != nil {
		return fmt.Errorf("recoding the batch at offset %d: %w", b.BaseOffset(), err)
	}
	if data == nil {
		return nil // nothing of it is wanted
	}
	for i := range runs {
		runs[i].epoch = p.sieve.epoch(epochOf(b))
	}
	p.recoded++
	p.put(b, data, true, runs)
	return nil
}

// put adds a chunk that was made of a batch. Its records are where runs says at their origin.
func (p *prepared) put(of, data batch.Batch, own bool, runs []srcRun) {
	p.chunks = append(p.chunks, &chunk{
		Flight: Flight{Data: data, Own: own}, runs: runs, count: data.Count(), epoch: epochOf(of), prior: p.prior, from: p.from, stamp: data.MaxTimestamp(),
		next: offsetxlate.Source(of.NextOffset()),
	})
}

// epochOf is a batch's leader epoch; -1 in the old formats, which have none.
func epochOf(b batch.Batch) int32 {
	if b.Magic() < 2 {
		return -1
	}
	return b.PartitionLeaderEpoch()
}

// aborter follows the aborted transactions of one answer, as Kafka's consumers do: a producer's batches are left out from the
// first offset of its aborted transaction to its abort marker.
type aborter struct {
	waiting []kmsg.FetchResponseTopicPartitionAbortedTransaction // by first offset
	open    map[int64]struct{}
}

func newAborter(txns []kmsg.FetchResponseTopicPartitionAbortedTransaction) *aborter {
	a := &aborter{waiting: slices.Clone(txns), open: map[int64]struct{}{}}
	slices.SortFunc(a.waiting, func(x, y kmsg.FetchResponseTopicPartitionAbortedTransaction) int {
		return int(min(1, max(-1, x.FirstOffset-y.FirstOffset)))
	})
	return a
}

func (a *aborter) has(b batch.Batch) bool {
	for len(a.waiting) > 0 && a.waiting[0].FirstOffset <= b.LastOffset() {
		a.open[a.waiting[0].ProducerID] = struct{}{}
		a.waiting = a.waiting[1:]
	}
	_, ok := a.open[b.ProducerID()]
	return ok && b.Transactional()
}
