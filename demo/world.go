package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/internal/embedded"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// world is everything that runs: clusters, nodes and applications.
type world struct {
	naming   Naming
	topo     *topology.Topology
	clusters *embedded.Clusters
	nodes    *nodes
	writers  map[topology.Alias]*writer
	billing  *billing
	arrivals map[topology.Alias]*arrivals // identity naming

	mu   sync.Mutex
	lost map[topology.Alias]bool
	high map[topology.Pair]int64 // what has arrived, for while no node says so
}

// newWorld starts the clusters, with an empty topic each; nothing runs on them yet.
func newWorld(ctx context.Context, naming Naming, seed uint64, log *slog.Logger) (*world, error) {
	t, err := parse(naming)
	if err != nil {
		return nil, err
	}
	w := &world{
		naming: naming, topo: t, clusters: &embedded.Clusters{}, writers: map[topology.Alias]*writer{}, arrivals: map[topology.Alias]*arrivals{},
		lost: map[topology.Alias]bool{}, high: map[topology.Pair]int64{},
	}
	if w.nodes, err = newNodes(t, w.clusters, log); err != nil {
		return nil, err
	}
	w.billing = newBilling(w.dial, naming.topicsAt)
	for _, a := range places {
		w.writers[a] = newWriter(a, seed, func(opts ...kgo.Opt) (*kafka.Cluster, error) { return w.dial(a, opts...) })
		if err := errors.Join(w.makeTopic(ctx, a), w.countAt(a)); err != nil {
			return nil, errors.Join(err, w.close())
		}
	}
	return w, nil
}

// dial makes a client of an application.
func (w *world) dial(a topology.Alias, opts ...kgo.Opt) (*kafka.Cluster, error) {
	c := w.topo.Clusters[a]
	d := &kafka.Dialer{Datacenter: c.Datacenter, ClientID: "demo", Embedded: w.clusters.Addresses}
	return d.Dial(c, opts...)
}

func (w *world) makeTopic(ctx context.Context, a topology.Alias) error {
	c, err := w.dial(a)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.Admin.CreateTopic(ctx, partitions, 1, nil, topic); err != nil {
		return fmt.Errorf("creating topic %s at cluster %s: %w", topic, a, err)
	}
	return nil
}

// begin starts all nodes and all applications; the group begins in us.
func (w *world) begin() error {
	errs := make([]error, 0, len(w.topo.Nodes)+len(w.writers)+1)
	for _, n := range sorted(w.topo.Nodes) {
		errs = append(errs, w.nodes.start(n))
	}
	for _, a := range places {
		errs = append(errs, w.writers[a].start())
	}
	return errors.Join(append(errs, w.billing.start("us"))...)
}

// countAt counts what arrives, where meshd's places can't tell.
func (w *world) countAt(a topology.Alias) error {
	if w.naming != Identity {
		return nil
	}
	x, err := startArrivals(func(opts ...kgo.Opt) (*kafka.Cluster, error) { return w.dial(a, opts...) })
	if err == nil {
		w.arrivals[a] = x
	}
	return err
}

func (w *world) nodesOf(a topology.Alias) (names []string) {
	for _, n := range sorted(w.topo.Nodes) {
		if w.topo.Nodes[n].Datacenter == w.topo.Clusters[a].Datacenter {
			names = append(names, n)
		}
	}
	return names
}

// lose takes a datacenter away: its brokers are silent, its nodes and its writer are dead.
func (w *world) lose(a topology.Alias) {
	w.clusters.Cut(a, embedded.Silent)
	w.setLost(a, true)
	for _, n := range w.nodesOf(a) {
		w.nodes.kill(n)
	}
	w.writers[a].die()
}

// recover gives a datacenter back, with what its brokers had on disk.
func (w *world) recover(a topology.Alias) error {
	w.clusters.Mend(a)
	w.setLost(a, false)
	var errs []error
	for _, n := range w.nodesOf(a) {
		errs = append(errs, w.nodes.start(n))
	}
	return errors.Join(append(errs, w.writers[a].start())...)
}

func (w *world) setLost(a topology.Alias, lost bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lost[a] = lost
}

func (w *world) isLost(a topology.Alias) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lost[a]
}

// logsAt reads a cluster with a client that knows nothing yet.
func (w *world) logsAt(ctx context.Context, a topology.Alias) (logs, error) {
	c, err := w.dial(a, auditing()...)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return readLogs(ctx, c)
}

// uncovered counts the records that the group has read and that lie beyond its commits at a cluster, or are not there yet: what it
// will read again if it goes on there.
func (w *world) uncovered(ctx context.Context, a topology.Alias) (int, error) {
	c, err := w.dial(a, auditing()...)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	commits, err := c.Admin.FetchOffsets(ctx, group)
	if err != nil {
		return 0, fmt.Errorf("reading the commits of group %s at cluster %s: %w", group, a, err)
	}
	there, err := readLogs(ctx, c)
	if err != nil {
		return 0, err
	}
	covered, missing := there.below(commits), map[id]bool{}
	for _, i := range w.billing.all() {
		if !covered[i] {
			missing[i] = true
		}
	}
	return len(missing), nil
}

// evidence collects what the verdict is made of.
func (w *world) evidence(ctx context.Context, announced int) (evidence, error) {
	e := evidence{naming: w.naming, clusters: places, logs: map[topology.Alias]logs{}, announced: announced, read: w.billing.all(), twice: w.billing.progress().twice}
	for _, a := range e.clusters {
		e.acked = append(e.acked, w.writers[a].all()...)
	}
	for _, a := range e.clusters { // after the acknowledgements were noted: what is acknowledged must be there
		l, err := w.logsAt(ctx, a)
		if err != nil {
			return e, err
		}
		e.logs[a] = l
	}
	return e, nil
}

// close ends applications, then nodes, then clusters.
func (w *world) close() error {
	for _, a := range places {
		w.clusters.Mend(a) // whoever still waits for a silent cluster need not
	}
	for _, x := range w.writers {
		x.close()
	}
	w.billing.close()
	for _, x := range w.arrivals {
		x.close()
	}
	err := w.nodes.close()
	w.clusters.Close()
	return err
}

// await polls until a condition holds. The error says what was waited for in vain.
func await(ctx context.Context, what string, holds func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("waited %s in vain until %s", patience, what))
	defer cancel()
	t := time.NewTicker(50 * time.Millisecond)
	defer t.Stop()
	for {
		ok, err := holds(ctx)
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		case <-t.C:
		}
	}
}

// patience is how long a condition of the story is waited for. It bounds the whole.
const patience = 90 * time.Second
