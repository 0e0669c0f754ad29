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
	partitions := make([]Partition, max(len(from), len(to))) // a partition that one side has not is empty there
	differs := make([]*differ, len(partitions))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i := range partitions {
		number := int32(i)
		partitions[i].Partition = number
		group.Go(func() error {
			differs[i] = newDiffer(
				records(ctx, logread.New(source, sourceTopic, number, from[number], logread.Committed)),
				records(ctx, logread.New(destination, destinationTopic, number, to[number], logread.Uncommitted)),
				&partitions[i],
			)
			return differs[i].run()
		})
	}
	if err := group.Wait(); err != nil {
		return report, err
	}
	misplaced(differs)
	for i, d := range differs {
		d.conclude()
		report.add(partitions[i])
	}
	return report, nil
}

// records is a reader's records one by one.
func records(ctx context.Context, reader *logread.Reader) stream {
	var batch []*kgo.Record
	return func() (entry, bool, error) {
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
		e := entryOf(batch[0])
		batch = batch[1:]
		return e, true, nil
	}
}

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
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	report, err := Copy(ctx, source, destination, sourceTopic, destinationTopic)
	for err == nil && report.onlyLate() {
		select {
		case <-ctx.Done():
			return report, nil
		case <-tick.C:
		}
		next, err := Copy(ctx, source, destination, sourceTopic, destinationTopic)
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
