package demo

import (
	"bytes"
	"context"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/topology"
)

var update = flag.Bool("update", false, "write the golden files anew")

// The whole demo, as fast as its conditions come true. Then mistakes are made in the clusters themselves: each must be seen.
func TestStory(t *testing.T) { tellAndSpoil(t, Prefix, "story.txt", sabotage) }

// The same with one topic to which all write.
func TestIdentityStory(t *testing.T) { tellAndSpoil(t, Identity, "identity.txt", identitySabotage) }

func tellAndSpoil(t *testing.T, naming Naming, file string, mistakes []mistake) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	var out bytes.Buffer
	s, err := newStory(ctx, Options{Out: &out, Seed: 1, Naming: naming, Log: slog.New(slog.NewTextHandler(logFile(t), nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.world.close(); err != nil {
			t.Error(err)
		}
	}()
	v, err := s.run(ctx)
	if err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	if err := s.conclude(v); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	t.Logf("\n%s", &out)
	golden(t, file, shape(out.String()))
	for _, n := range sorted(s.topo.Nodes) {
		s.nodes.kill(n) // or they would carry on what is spoilt
	}
	for _, m := range mistakes {
		before := v
		if err := m.do(ctx, s.world); err != nil {
			t.Fatalf("%s: %v", m.name, err)
		}
		if v, err = s.verdict(ctx); err != nil {
			t.Fatal(err)
		}
		if got := difference(before, v); got != m.want || v.OK() {
			t.Errorf("%s: counted (lost, duplicated, looped, out of order) %v more, want %v\n%s%s", m.name, got, m.want, v, v.Wrong)
		}
	}
}

// logFile is where the nodes' log goes: far too much for the test's own, and kept where a test fails.
func logFile(t *testing.T) *os.File {
	t.Helper()
	f, err := os.CreateTemp("", "meshd-demo-*.log") //nolint:usetesting // kept where the test fails
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = f.Close()
		if t.Failed() {
			t.Logf("the nodes' log is %s", f.Name())
		} else {
			_ = os.Remove(f.Name())
		}
	})
	return f
}

// mistake is one that meshd does not make.
type mistake struct {
	name string
	do   func(context.Context, *world) error
	want [4]int
}

// sabotage adds up.
var sabotage = []mistake{
	{"a record is appended once more to its copy", func(ctx context.Context, w *world) error {
		return w.forge(ctx, "eu", "us.orders", "us.orders", 0)
	}, [4]int{0, 1, 0, 0}},
	{"a record comes home", func(ctx context.Context, w *world) error {
		return w.forge(ctx, "us", topic, "eu.orders", 0)
	}, [4]int{0, 0, 1, 0}},
	{"a copy is copied", func(ctx context.Context, w *world) error {
		return w.forge(ctx, "ap", "eu.orders", "us.eu.orders", 0)
	}, [4]int{0, 0, 1, 0}},
	{"the first record of a copy is gone", func(ctx context.Context, w *world) error {
		_, err := w.behead(ctx, "ap", "us.orders", 1)
		return err
	}, [4]int{1, 0, 0, 0}},
	{"the first record of a copy is its last", func(ctx context.Context, w *world) error {
		r, err := w.behead(ctx, "ap", "us.orders", 2)
		if err != nil {
			return err
		}
		return w.write(ctx, "ap", r)
	}, [4]int{0, 0, 0, 1}},
}

var identitySabotage = []mistake{
	{"a record is appended once more to its copy", func(ctx context.Context, w *world) error {
		return w.repeat(ctx, "eu", "us")
	}, [4]int{0, 1, 0, 0}},
	{"a record comes home", func(ctx context.Context, w *world) error {
		return w.repeat(ctx, "us", "us")
	}, [4]int{0, 0, 1, 0}},
	{"a copy has another name", func(ctx context.Context, w *world) error {
		return w.forge(ctx, "ap", topic, "us.orders", 0)
	}, [4]int{0, 0, 1, 0}},
}

// repeat appends the first record of an origin once more to the log that it lies in.
func (w *world) repeat(ctx context.Context, a, origin topology.Alias) error {
	r, err := w.find(ctx, a, topic, 0, func(i id) bool { return i.origin == origin })
	if err != nil {
		return err
	}
	return w.write(ctx, a, r)
}

func difference(a, b Verdict) (d [4]int) {
	for i := range a.Origins {
		before, after := mistakes(a.Origins[i]), mistakes(b.Origins[i])
		for k := range d {
			d[k] += after[k] - before[k]
		}
	}
	return d
}

// first reads the first order in a partition.
func (w *world) first(ctx context.Context, a topology.Alias, topic string, p int32) (*kgo.Record, error) {
	return w.find(ctx, a, topic, p, func(id) bool { return true })
}

// find reads the first order in a partition that fits.
func (w *world) find(ctx context.Context, a topology.Alias, topic string, p int32, fits func(id) bool) (*kgo.Record, error) {
	c, err := w.dial(a, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {p: kgo.NewOffset().AtStart()}}))
	if err != nil {
		return nil, err
	}
	defer c.Close()
	for {
		fs := c.Client.PollFetches(ctx)
		if err := fs.Err(); err != nil {
			return nil, err
		}
		for _, r := range fs.Records() {
			if i, ok := idOf(r); ok && fits(i) {
				return r, nil
			}
		}
	}
}

// forge appends the first record of one topic to another.
func (w *world) forge(ctx context.Context, a topology.Alias, from, to string, p int32) error {
	r, err := w.first(ctx, a, from, p)
	if err != nil {
		return err
	}
	r.Topic = to
	return w.write(ctx, a, r)
}

// write appends a record to its topic, which is made where it is not there.
func (w *world) write(ctx context.Context, a topology.Alias, r *kgo.Record) error {
	c, err := w.dial(a, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		return err
	}
	defer c.Close()
	if made, err := c.Admin.CreateTopics(ctx, partitions, 1, nil, r.Topic); err != nil {
		return err
	} else if made[r.Topic].Err == nil {
		c.Client.ForceMetadataRefresh()
	}
	return c.Client.ProduceSync(ctx, &kgo.Record{Topic: r.Topic, Partition: r.Partition, Key: r.Key, Value: r.Value, Headers: r.Headers}).FirstErr()
}

// behead deletes the first record of a log, and returns it.
func (w *world) behead(ctx context.Context, a topology.Alias, topic string, p int32) (*kgo.Record, error) {
	r, err := w.first(ctx, a, topic, p)
	if err != nil {
		return nil, err
	}
	c, err := w.dial(a)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	_, err = c.Admin.DeleteRecords(ctx, kadm.Offsets{topic: {p: {Topic: topic, Partition: p, At: r.Offset + 1}}})
	return r, err
}

var (
	stateLine = regexp.MustCompile(`^\[ *\d+s\] written us [\d,]+ eu [\d,]+ ap [\d,]+ \(\d+/s\), lag (\w\w->\w\w [\d,?]+ ?){6}, not sent (on|back) [\d,]+, billing (in \w\w|stopped): read [\d,]+, again [\d,]+$`)
	number    = regexp.MustCompile(`\d[\d,.]*`)
	spaces    = regexp.MustCompile(` +`)
)

// shape is what was printed without what differs from run to run: numbers, and the lines that come every second.
func shape(out string) string {
	var lines []string
	for line := range strings.Lines(out) {
		if line = strings.TrimSuffix(line, "\n"); !stateLine.MatchString(line) {
			lines = append(lines, spaces.ReplaceAllString(number.ReplaceAllString(line, "N"), " "))
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s: -want +got:\n%s", file, diff)
	}
	if strings.Contains(got, "\x1b") {
		t.Error("escape codes where there is no terminal")
	}
}
