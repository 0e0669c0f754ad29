package validate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"github.com/meshd/meshd/internal/kafkatest/logread"
)

// parallel is how many partitions are compared beside each other; it bounds the memory.
const parallel = 4

// Copy compares a topic at the destination with the one that it was copied from, to the ends that both have now: nothing may be
// produced to either meanwhile. The error says that one could not be read; what was found is in the report.
func Copy(ctx context.Context, source, destination *kgo.Client, sourceTopic, destinationTopic string) (Report, error) {
	report := Report{SourceTopic: sourceTopic, DestinationTopic: destinationTopic}
	from, err := logread.Bounds(ctx, source, sourceTopic, logread.Committed)
	if err != nil {
		return report, fmt.Errorf("source: %w", err)
	}
	to, err := logread.Bounds(ctx, destination, destinationTopic, logread.Uncommitted)
	if err != nil {
		return report, fmt.Errorf("destination: %w", err)
	}
	n := max(len(from), len(to)) // a partition that one side has not is empty there
	err = report.compare(ctx, n, func(ctx context.Context, number int32, into *Partition) *differ {
		return newDiffer(
			records(ctx, logread.New(source, sourceTopic, number, from[number], logread.Committed), all),
			records(ctx, logread.New(destination, destinationTopic, number, to[number], logread.Uncommitted), all),
			into,
		)
	})
	return report, err
}

// compare compares so many partitions and adds what it finds.
func (r *Report) compare(ctx context.Context, n int, open func(context.Context, int32, *Partition) *differ) error {
	partitions, differs := make([]Partition, n), make([]*differ, n)
	err := each(ctx, n, func(ctx context.Context, i int) error {
		partitions[i].Partition = int32(i)
		differs[i] = open(ctx, int32(i), &partitions[i])
		return differs[i].run()
	})
	if err != nil {
		return err
	}
	misplaced(differs)
	for i, d := range differs {
		d.conclude()
		r.add(partitions[i])
	}
	return nil
}

// each does something for n partitions, some of them beside each other.
func each(ctx context.Context, n int, do func(context.Context, int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i := range n {
		group.Go(func() error { return do(ctx, i) })
	}
	return group.Wait()
}

// records is those of a reader's records that are wanted, one by one.
func records(ctx context.Context, reader *logread.Reader, want func(*kgo.Record) (entry, bool)) stream {
	var batch []*kgo.Record
	return func() (entry, bool, error) {
		for {
			if len(batch) == 0 {
				var err error
				batch, err = reader.Next(ctx)
				if errors.Is(err, io.EOF) {
					return entry{}, false, nil
				}
				if err != nil {
					return entry{}, false, err
				}
			}
			e, wanted := want(batch[0])
			batch = batch[1:]
			if wanted {
				return e, true, nil
			}
		}
	}
}

func all(r *kgo.Record) (entry, bool) { return entryOf(r), true }

// misplaced finds what is missing in one partition and a stray in another.
func misplaced(differs []*differ) {
	for _, to := range differs {
		for _, stray := range to.strays.inOrder() {
			for _, from := range differs {
				e, ok := from.missing.remove(stray.print)
				if !ok {
					continue
				}
				to.strays.remove(stray.print)
				to.report.note(Example{
					Kind: Misplaced, SourceOffset: e.offset, DestinationOffset: stray.offset,
					Detail: fmt.Sprintf("it belongs into partition %d", from.report.Partition),
				})
				break
			}
		}
	}
}

// Until compares again and again until the copy is complete, something is wrong that time does not heal, or the context ends. It
// returns the last comparison that came to its end: records that are not there yet are lost in it.
func Until(ctx context.Context, source, destination *kgo.Client, sourceTopic, destinationTopic string) (Report, error) {
	return until(ctx, func() (Report, error) { return Copy(ctx, source, destination, sourceTopic, destinationTopic) })
}

func until[R interface{ onlyLate() bool }](ctx context.Context, compare func() (R, error)) (R, error) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	report, err := compare()
	for err == nil && report.onlyLate() {
		select {
		case <-ctx.Done():
			return report, nil
		case <-tick.C:
		}
		next, err := compare()
		if ctx.Err() != nil {
			return report, nil
		}
		if err != nil {
			return next, err
		}
		report = next
	}
	return report, err
}
