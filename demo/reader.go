package demo

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// session is for how long a broker waits for a member that is silent. It is the shortest that brokers allow.
const session = 6 * time.Second

// billing is the application that reads all orders of the mesh, as one consumer group, wherever it runs.
type billing struct {
	dial   func(topology.Alias, ...kgo.Opt) (*kafka.Cluster, error)
	topics func(topology.Alias) []string

	now     *sitting // nil while it does not run
	closing sync.WaitGroup

	mu    sync.Mutex
	at    topology.Alias // "" while it does not run
	reads []id           // each once a sitting
	known map[id]bool
	here  map[id]bool // read in this sitting
	twice int         // in one sitting: a broker that missed its heartbeats made it join again
}

// sitting is one run of the application, from its start to its end.
type sitting struct {
	cluster  *kafka.Cluster
	halt     context.CancelFunc // ends the reading
	drop     context.CancelFunc // ends the committing too
	finished chan struct{}
}

func newBilling(dial func(topology.Alias, ...kgo.Opt) (*kafka.Cluster, error), topics func(topology.Alias) []string) *billing {
	return &billing{dial: dial, topics: topics, known: map[id]bool{}}
}

// start begins at a cluster, where the group stands there.
func (b *billing) start(at topology.Alias) error {
	c, err := b.dial(at, kgo.ConsumerGroup(group), kgo.ConsumeTopics(b.topics(at)...), kgo.DisableAutoCommit(),
		kgo.SessionTimeout(session), kgo.HeartbeatInterval(500*time.Millisecond),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(200*time.Millisecond))
	if err != nil {
		return err
	}
	committing, drop := context.WithCancel(context.Background())
	reading, halt := context.WithCancel(committing)
	b.now = &sitting{cluster: c, halt: halt, drop: drop, finished: make(chan struct{})}
	b.set(at)
	go func(s *sitting) {
		defer close(s.finished)
		b.run(reading, committing, s.cluster.Client)
	}(b.now)
	return nil
}

func (b *billing) set(at topology.Alias) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.at, b.here = at, map[id]bool{}
}

// run reads and commits in turn. What was read and not committed when it dies will be read again.
func (b *billing) run(reading, committing context.Context, client *kgo.Client) {
	for reading.Err() == nil {
		fetches := client.PollFetches(reading)
		if records := fetches.Records(); len(records) > 0 {
			b.note(records)
			_ = client.CommitRecords(committing, records...) // a later one makes up for one that failed
		}
	}
}

func (b *billing) note(records []*kgo.Record) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range records {
		i, ok := idOf(r)
		switch {
		case !ok:
		case b.here[i]:
			b.twice++
		default:
			b.reads = append(b.reads, i)
			b.known[i], b.here[i] = true, true
		}
	}
}

// stop commits what was read, and leaves the group.
func (b *billing) stop() {
	if b.now == nil {
		return
	}
	b.now.halt()
	<-b.now.finished
	b.now.drop()
	b.now.cluster.Close()
	b.now = nil
	b.set("")
}

// die ends as it is. The broker does not hear of it.
func (b *billing) die() {
	b.now.drop()
	<-b.now.finished
	b.closing.Go(b.now.cluster.Close)
	b.now = nil
	b.set("")
}

// close stops it and waits for what is left of those that died.
func (b *billing) close() {
	b.stop()
	b.closing.Wait()
}

// progress is what is shown of it.
type progress struct {
	at                    topology.Alias
	distinct, again, here int
	twice                 int
}

func (b *billing) progress() progress {
	b.mu.Lock()
	defer b.mu.Unlock()
	return progress{at: b.at, distinct: len(b.known), again: len(b.reads) - len(b.known), here: len(b.here), twice: b.twice}
}

func (b *billing) all() []id {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.reads)
}
