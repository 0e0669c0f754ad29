package kafka

import (
	"cmp"
	"context"
	"fmt"
	"sync"
)

// Bounds is where a log begins and ends, or why that is not known.
type Bounds struct {
	Start, End int64 // the first offset that it holds, and the next one that readers will get; End is never below Start
	Epoch      int32 // leader epoch at the end; -1 unknown
	Err        error
}

// Bounds asks where logs begin and end, both at once. The answer is in the order of ps, and has one for each also where there is an error: that
// is one of all, and each has it too.
func (c *Cluster) Bounds(ctx context.Context, ps []Partition) ([]Bounds, error) {
	var wg sync.WaitGroup
	var starts []Offset
	var serr error
	wg.Go(func() { starts, serr = c.Offsets(ctx, ps, Start) })
	ends, err := c.Offsets(ctx, ps, End)
	wg.Wait()
	err = cmp.Or(err, serr)
	out := make([]Bounds, len(ps))
	for i, p := range ps {
		one := err
		if one == nil {
			one = cmp.Or(ends[i].Err, starts[i].Err)
		}
		if one != nil {
			out[i].Err = fmt.Errorf("asking where %s begins and ends: %w", p, one)
			continue
		}
		// A log whose start comes behind the end that was told a moment before has grown up to there at least.
		out[i] = Bounds{Start: starts[i].At, End: max(starts[i].At, ends[i].At), Epoch: ends[i].LeaderEpoch}
	}
	return out, err
}

// BoundsOf is Bounds of one log.
func (c *Cluster) BoundsOf(ctx context.Context, p Partition) (Bounds, error) {
	all, _ := c.Bounds(ctx, []Partition{p}) // it has the error
	return all[0], all[0].Err
}
