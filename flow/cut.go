package flow

import (
	"math"
	"slices"

	"github.com/meshd/meshd/kafka/batch"
	"github.com/meshd/meshd/offsetxlate"
)

// piece is a batch that was built, and where its records come from.
type piece struct {
	data batch.Batch
	runs []srcRun
}

// cutAll halves pieces until none is larger than most bytes but of a single record. That a compressed one is too large is known only
// when it was built; it seldom is.
func (c *recoder) cutAll(pieces []piece, most int) ([]piece, error) {
	for i := 0; i < len(pieces); {
		if p := pieces[i]; len(p.data) > most && p.data.Count() > 1 {
			halves, err := c.halve(p)
			if err != nil {
				return nil, err
			}
			pieces = slices.Replace(pieces, i, i+1, halves...)
			continue
		}
		i++
	}
	return pieces, nil
}

func (c *recoder) halve(p piece) ([]piece, error) {
	if err := c.r.Reset(p.data); err != nil {
		return nil, err
	}
	n := p.data.Count() / 2
	head, err := c.next(p.data.Codec(), n)
	if err != nil {
		return nil, err
	}
	tail, err := c.next(p.data.Codec(), p.data.Count()-n)
	if err != nil {
		return nil, err
	}
	first, second := splitRuns(p.runs, n)
	return []piece{{head, first}, {tail, second}}, nil
}

// next builds a batch of the reader's next n records.
func (c *recoder) next(codec batch.Codec, n int32) (batch.Batch, error) {
	c.begin(codec, math.MaxInt32)
	for c.b.Len() < n && c.r.Next() {
		c.b.Append(c.r.Record())
	}
	if err := c.r.Err(); err != nil {
		return nil, err
	}
	return c.finish()
}

// splitRuns splits runs behind their first n records.
func splitRuns(runs []srcRun, n int32) (head, tail []srcRun) {
	for _, r := range runs {
		if k := min(n, r.count); k > 0 {
			head, n = append(head, srcRun{r.source, k, r.epoch}), n-k
			r.source, r.count = r.source+offsetxlate.Source(k), r.count-k
		}
		if r.count > 0 {
			tail = append(tail, r)
		}
	}
	return head, tail
}
