package flow

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/topology"
)

// Site is one cluster as a node uses it, with a client for questions: a long fetch would hold back what is asked behind it on its
// connection.
type Site struct {
	Alias   topology.Alias
	Control *kafka.Cluster
	Dir     *kafka.Directory

	registered *registered // who writes there, for those who read there
	notes      notes       // and what they noted

	life context.Context //nolint:containedctx // of the site, ended by close
	stop context.CancelFunc
	wg   sync.WaitGroup

	mu      sync.Mutex
	id      string
	brokers int
	trouble error
	memory  kafka.Memory // Txn 0: not asked yet
	asked   time.Time    // when it was
}

// Source is a cluster that a pair reads from. Each pair has a fetcher of its own: a fetch session reads a partition from one place.
type Source struct {
	*Site
	Fetcher *Fetcher
	clients []*kafka.Cluster
}

func openSource(d *kafka.Dialer, c topology.Cluster, s *Site, b *Budget) (*Source, error) {
	clients, err := dialTwice(d, c)
	if err != nil {
		return nil, err
	}
	return &Source{Site: s, clients: clients, Fetcher: NewFetcher(clients[0], clients[1], s.Dir, b)}, nil
}

// dialTwice makes the clients for the tail and for the backlog, for a connection brings one answer after the other.
func dialTwice(d *kafka.Dialer, c topology.Cluster) (clients []*kafka.Cluster, err error) {
	for range 2 {
		cluster, err := d.Dial(c)
		if err != nil {
			closeClients(clients)
			return nil, err
		}
		clients = append(clients, cluster)
	}
	return clients, nil
}

func closeClients(clients []*kafka.Cluster) {
	for _, c := range clients {
		c.Close()
	}
}

func (s *Source) close() {
	s.Fetcher.Close()
	closeClients(s.clients)
}

// Destination is a cluster that this node writes into.
type Destination struct {
	*Site
	Producer *Producer
	Writers  *registry
	clients  []*kafka.Cluster
}

func openDestination(d *kafka.Dialer, c topology.Cluster, s *Site) (*Destination, error) {
	clients, err := dialTwice(d, c)
	if err != nil {
		return nil, err
	}
	return &Destination{Site: s, Producer: NewProducer(clients[0], clients[1], s.Dir), Writers: newRegistry(s.Control), clients: clients}, nil
}

func (d *Destination) close() {
	d.Producer.Close()
	closeClients(d.clients)
}

func openSite(d *kafka.Dialer, c topology.Cluster, every topology.Intervals) (*Site, error) {
	control, err := d.Dial(c, checkpoint.TableWriter()...)
	if err != nil {
		return nil, err
	}
	s := &Site{Alias: c.Alias, Control: control, Dir: kafka.NewDirectory(control, every.Discovery), registered: newRegistered(control)}
	s.life, s.stop = context.WithCancel(context.Background())
	s.aside(s.Dir.Run)
	return s, nil
}

// aside runs something as long as the site lives.
func (s *Site) aside(f func(context.Context)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life.Err() == nil {
		s.wg.Go(func() { f(s.life) })
	}
}

func (s *Site) close() {
	s.mu.Lock()
	s.stop()
	s.mu.Unlock()
	s.wg.Wait()
	s.Control.Close()
}

// ID is the cluster's id, once it was reached.
func (s *Site) ID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.id
}

// form is the cluster's id as headers carry it, once it was reached.
func (s *Site) form() loop.ClusterID {
	id, _ := loop.NewClusterID(s.ID()) // meet refuses a cluster without one
	return id
}

func (s *Site) brokerCount() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.brokers
}

// Trouble is why the cluster can't be used now; nil if it can.
func (s *Site) Trouble() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.trouble
}

// meet asks the cluster who it is, once; another cluster at the same address later is refused.
func (s *Site) meet(ctx context.Context) error {
	id, brokers, err := s.Control.Identity(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		_, err = loop.NewClusterID(id)
	}
	if err == nil && s.id != "" && s.id != id {
		err = &kafka.WrongClusterError{Alias: s.Alias, Want: s.id, Got: id}
	}
	if s.trouble = err; err != nil {
		return err
	}
	s.id, s.brokers = id, brokers
	return nil
}

// Memory is how long the brokers remember producers, as far as they say.
func (s *Site) Memory() kafka.Memory {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.memory.Txn == 0 {
		return kafka.DefaultMemory
	}
	return s.memory
}

const memoryAgain = time.Minute // brokers' settings are changed while they run

// askMemory asks for it now and then. Brokers that don't say it are taken to do as brokers do.
func (s *Site) askMemory(ctx context.Context) {
	s.mu.Lock()
	known := s.memory.Txn != 0 && time.Since(s.asked) < memoryAgain
	s.mu.Unlock()
	if known {
		return
	}
	m, err := s.Control.Memory(ctx)
	if err != nil && kafka.Classify(err) != kafka.Denied {
		return
	}
	s.mu.Lock()
	s.memory, s.asked = m, time.Now()
	s.mu.Unlock()
}

// prepare makes the topics that meshd owns at a destination.
func (s *Site) prepare(ctx context.Context, origin topology.Alias) error {
	brokers := s.brokerCount()
	err := checkpoint.EnsureOwned(ctx, s.Control, brokers, 1, checkpoint.TopicsTopic, checkpoint.GroupsTopic, checkpoint.NodesTopic)
	if err == nil {
		err = checkpoint.EnsureWriters(ctx, s.Control, brokers)
	}
	if err == nil {
		err = checkpoint.EnsureOwned(ctx, s.Control, brokers, topology.Shards, checkpoint.ProgressTopic(origin), checkpoint.OffsetsTopic(origin))
	}
	if err != nil && kafka.Classify(err) != kafka.Unreachable {
		return kafka.Explain(err, kafka.TopicNotMade)
	}
	if err != nil {
		return err
	}
	return s.Dir.Refresh(ctx)
}

func wentBack(err error) bool {
	var w *checkpoint.WentBackError
	return errors.As(err, &w)
}
