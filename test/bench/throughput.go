package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/test/validate"
)

// measurement is what one run of a tool in a cell gave, by name: seconds, mbps, cpu, memory and the like.
type measurement map[string]float64

// patience is how long a copy may stand still before it is given up. It decides nothing but when to stop looking.
const patience = 2 * time.Minute

// throughput has a tool copy a topic that is there, and measures from when records flow to when the last has arrived.
func (b *bench) throughput(ctx context.Context, t tool, topic string, c cell) (measurement, error) {
	j, err := b.job(topic, c.partitions)
	if err != nil {
		return nil, err
	}
	j.tool = t
	if c.distant {
		j.source = b.from.distant
	}
	client, err := b.to.client()
	if err != nil {
		return nil, err
	}
	defer client.Close()
	defer j.forget(ctx)
	p, err := j.launch(t, 0)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	m, err := j.watch(ctx, client, p, c.workload)
	if err != nil || !strings.HasPrefix(t.name, "meshd") {
		return m, err
	}
	p.stop()
	return m, j.compare(ctx)
}

// forget deletes the copy. One that has its topic's name is not made again where meshd remembers it: what it remembers goes, too.
func (j *job) forget(ctx context.Context) {
	topics := []string{j.remote()}
	if j.tool.naming != "" {
		topics = append(topics, checkpoint.TopicsTopic, checkpoint.WritersTopic)
	}
	dropTopics(ctx, j.to, topics...)
}

// watch follows a copy to its end. It flows from the first time that there is more than a marker in a partition on average; it is
// complete when it has as many offsets as records and no more are coming: transactional writers add markers.
func (j *job) watch(ctx context.Context, client *kgo.Client, p *process, w workload) (measurement, error) {
	var first, last point
	quiet := 0
	tick := time.NewTicker(pollInterval(j.partitions))
	defer tick.Stop()
	for seen := int64(0); ; {
		sum, err := sumOfEnds(ctx, client, j.remote(), j.partitions)
		if err != nil {
			return nil, err
		}
		switch now := time.Now(); {
		case sum == seen && (sum < int64(w.records) || now.Sub(last.at) < settle):
			if quiet++; quiet > 0 && now.Sub(later(last.at, p.Started)) > patience {
				return nil, fmt.Errorf("stands still at %d offsets of %d records for %s; it said last:\n%s", sum, w.records, patience, p.tail(10))
			}
		case sum == seen:
			return summary(first, last, w), nil
		default:
			if last, err = p.point(now, sum); err != nil {
				return nil, err
			}
			if first.at.IsZero() && sum > int64(j.partitions) {
				first = last
			}
			seen = sum
		}
		if err := p.failed(); err != nil {
			return nil, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// settle is how long a complete copy must stay as it is.
const settle = 2 * time.Second

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// point is the state of a copy at some time.
type point struct {
	at    time.Time
	sum   int64
	usage usage
	since time.Duration // the start of the process
}

func (p *process) point(at time.Time, sum int64) (point, error) {
	u, err := p.usage()
	return point{at, sum, u, at.Sub(p.Started)}, err
}

func summary(first, last point, w workload) measurement {
	seconds := last.at.Sub(first.at).Seconds()
	mb := w.megabytes()
	return measurement{
		"seconds": seconds, "mbps": mb * (1 - float64(first.sum)/float64(last.sum)) / seconds, "flowing_after": first.since.Seconds(),
		"cpu": (last.usage.cpu - first.usage.cpu).Seconds(), "cpu_whole": last.usage.cpu.Seconds(), "memory": float64(last.usage.peak) / 1e6,
	}
}

// compare says where a copy is not its source, record by record.
func (j *job) compare(ctx context.Context) error {
	source, err := j.from.client()
	if err != nil {
		return err
	}
	defer source.Close()
	destination, err := j.to.client()
	if err != nil {
		return err
	}
	defer destination.Close()
	if err = j.wrong(ctx, source, destination); err != nil {
		return fmt.Errorf("%w: %w", errWrong, err)
	}
	return nil
}

func (j *job) wrong(ctx context.Context, source, destination *kgo.Client) error {
	if j.tool.naming == "" {
		report, err := validate.Copy(ctx, source, destination, j.topic, j.remote())
		return errors.Join(err, report.Err())
	}
	report, err := validate.Shared(ctx, validate.SharedTopic{
		Name: j.topic, Clusters: map[string]*kgo.Client{j.id: source, "eu": destination}, Home: func(_, _ []byte) string { return j.id },
		Unstamped: strings.Contains(j.tool.naming, "batch"),
	})
	return errors.Join(err, report.Err())
}

// errWrong is a copy that is not its source: the run fails.
var errWrong = errors.New("the copy is not its source")

// String lists the numbers by name.
func (m measurement) String() string {
	var text []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		text = append(text, name+" "+strconv.FormatFloat(m[name], 'g', 4, 64))
	}
	return strings.Join(text, ", ")
}
