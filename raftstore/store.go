package raftstore

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/hashicorp/raft"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/meshd/meshd/raftstore/state"
)

// Voter is a node of the raft group.
type Voter struct {
	Node    string
	Address string // host:port on which the others reach it
}

// Config is what a Store needs.
type Config struct {
	Dir       *Dir        // stays the caller's
	Bind      string      // host:port to listen on
	Advertise string      // host:port on which the others reach this node; the same as its Voter's
	TLS       *tls.Config // mutual TLS between the nodes; nil: plain TCP
	Voters    []Voter     // of a group that does not exist yet: every node of the datacenter, this one among them
	Log       *slog.Logger
	Metrics   prometheus.Registerer
	Transport raft.Transport // in the place of TCP, for several nodes in one process; nil: TCP at Bind
}

// Timings of a LAN: a dead leader is replaced in about a second, also on two busy cores.
const (
	heartbeatTimeout = 500 * time.Millisecond
	electionTimeout  = 500 * time.Millisecond
	leaseTimeout     = 400 * time.Millisecond
	ioTimeout        = 2 * time.Second
)

// Store is a node's part in the raft group of its datacenter.
type Store struct {
	node      string
	raft      *raft.Raft
	log       *boltLog
	stream    *stream // nil with another transport
	transport raft.Transport
	published *published
	metrics   *metrics

	watching *contacts
	close    sync.Once
	closeErr error
}

// Open starts the node's part. It takes no part in the group before it is reached by a leader, or elected; the last state that this
// node knew is there at once.
func Open(cfg Config) (*Store, error) {
	s := &Store{node: cfg.Dir.id.Node, transport: cfg.Transport, metrics: newMetrics(cfg.Metrics)}
	if err := s.open(cfg); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) open(cfg Config) (err error) {
	if s.published, err = openPublished(cfg.Dir, cfg.Log); err != nil {
		return err
	}
	if s.log, err = openBoltLog(filepath.Join(cfg.Dir.path, "raft.db")); err != nil {
		return err
	}
	if err := s.start(cfg); err != nil {
		return err
	}
	s.watching = watchContacts(s.raft, s.published.nudge)
	return s.metrics.register(s)
}

func (s *Store) start(cfg Config) error {
	logger := raftLogger(cfg.Log)
	snapshots, err := raft.NewFileSnapshotStoreWithLogger(cfg.Dir.path, 2, logger)
	if err != nil {
		return fmt.Errorf("opening raft snapshots: %w", err)
	}
	if s.transport == nil {
		if s.stream, err = listen(cfg, s.metrics.refused.Inc); err != nil {
			return err
		}
		s.transport = raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
			Logger: logger, Stream: s.stream, MaxPool: 3, Timeout: ioTimeout,
		})
	}
	rc := raft.DefaultConfig()
	rc.LocalID, rc.Logger, rc.NoLegacyTelemetry = raft.ServerID(s.node), logger, true
	rc.HeartbeatTimeout, rc.ElectionTimeout, rc.LeaderLeaseTimeout = heartbeatTimeout, electionTimeout, leaseTimeout
	rc.SnapshotThreshold, rc.TrailingLogs = 1024, 1024 // of entries that are often a topology: megabytes at most
	rc.ShutdownOnRemove = false                        // a node that the topology no longer lists is stopped by its operator
	if err := s.bootstrap(rc, snapshots, cfg.Voters); err != nil {
		return err
	}
	s.raft, err = raft.NewRaft(rc, &fsm{publish: s.published.set}, s.log, s.log, snapshots, s.transport)
	if err != nil {
		return fmt.Errorf("starting raft: %w", err)
	}
	return nil
}

// bootstrap writes the first configuration into an empty log. Nodes that do so alike form one group. A node that joins a group which
// exists does it too; its log is then shorter than that of the others, who will not elect it, and the leader's replaces it.
func (s *Store) bootstrap(rc *raft.Config, snapshots raft.SnapshotStore, voters []Voter) error {
	exists, err := raft.HasExistingState(s.log, s.log, snapshots)
	if err != nil {
		return fmt.Errorf("looking for raft's state: %w", err)
	}
	if exists {
		return nil
	}
	var servers raft.Configuration
	for _, v := range voters {
		servers.Servers = append(servers.Servers, raft.Server{Suffrage: raft.Voter, ID: raft.ServerID(v.Node), Address: raft.ServerAddress(v.Address)})
	}
	if err := raft.BootstrapCluster(rc, s.log, s.log, snapshots, s.transport, servers); err != nil {
		return fmt.Errorf("bootstrapping raft: %w", err)
	}
	return nil
}

// State returns the newest state that this node knows, and the index in the log that it belongs to.
func (s *Store) State() (state.State, uint64) { return s.published.get() }

// Watch returns a channel that is signalled after each change of the state or of the leader. Changes that come while one is not taken
// yet are one signal. The function ends it.
func (s *Store) Watch() (<-chan struct{}, func()) { return s.published.watch() }

// WaitIndex waits until this node's state has come to an index, which a proposal returned.
func (s *Store) WaitIndex(ctx context.Context, index uint64) error {
	return s.published.wait(ctx, index)
}

// Close ends this node's part. The directory stays locked: it is the caller's.
func (s *Store) Close() error {
	s.close.Do(func() { s.closeErr = s.release() })
	return s.closeErr
}

// release stops raft first, for it uses everything else. Connections are closed meanwhile, for raft waits for answers on them.
func (s *Store) release() (err error) {
	s.metrics.unregister()
	if s.watching != nil {
		s.watching.end()
	}
	var stopping raft.Future
	if s.raft != nil {
		stopping = s.raft.Shutdown()
	}
	if s.stream != nil {
		err = s.stream.Close()
	}
	if stopping != nil {
		err = errors.Join(err, stopping.Error())
	} else if t, ok := s.transport.(raft.WithClose); ok {
		err = errors.Join(err, t.Close())
	}
	if s.log != nil {
		err = errors.Join(err, s.log.close())
	}
	return err
}
