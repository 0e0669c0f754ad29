package chaos

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/meshd/meshd/internal/wire"
)

// begin has a fault happen. It says what could not be done, if so.
func (m *mesh) begin(t *testing.T, f fault) error {
	t.Helper()
	s := m.side(f.cluster)
	switch f.kind {
	case nodeKilled:
		m.nodes[f.node].Kill()
	case nodeStopped:
		m.nodes[f.node].signal(t, syscall.SIGSTOP)
	case lineCut:
		s.net.Strike(m.nodes[f.node].client(), wire.Cut)
	case lineLost:
		s.net.Strike(m.nodes[f.node].client(), wire.Lost)
	case lineLate:
		s.net.Strike(m.nodes[f.node].client(), wire.Late)
	case brokerRestarted:
		s.Stop(t, f.broker)
	case brokerKilled:
		s.Kill9(t, f.broker)
	case brokerStopped:
		s.Signal(t, syscall.SIGSTOP, f.broker)
	case diskFull:
		return s.fill()
	case quota:
		return s.limit(t, 20_000)
	case leadersMoved:
		return s.moveLeaders(t)
	case linkCut:
		m.strike(f, wire.Cut)
	case linkLost:
		m.strike(f, wire.Lost)
	}
	return nil
}

// end has everything be as it was before a fault.
func (m *mesh) end(t *testing.T, f fault) error {
	t.Helper()
	s := m.side(f.cluster)
	switch f.kind {
	case nodeKilled:
		m.start(t, f.node)
	case nodeStopped:
		m.nodes[f.node].signal(t, syscall.SIGCONT)
	case lineCut, lineLost, lineLate:
		s.net.Strike(m.nodes[f.node].client(), wire.None)
	case brokerRestarted, brokerKilled:
		return s.Up()
	case brokerStopped:
		s.Signal(t, syscall.SIGCONT, f.broker)
	case diskFull:
		return s.unfill(t, f.broker)
	case quota:
		return s.limit(t, 0)
	case linkCut, linkLost:
		m.strike(f, wire.None)
	case leadersMoved:
	}
	return nil
}

// strike has something happen to the lines of a link, both ways.
func (m *mesh) strike(f fault, with wire.Fault) {
	for name, n := range m.nodes {
		switch home(name) {
		case f.cluster:
			m.side(f.other).net.Strike(n.client(), with)
		case f.other:
			m.side(f.cluster).net.Strike(n.client(), with)
		}
	}
}

func (s *side) fill() error {
	if s.disk.path == "" {
		return fmt.Errorf("no small disk: %w", s.disk.why)
	}
	return s.disk.fill()
}

// unfill gives the disk back. A broker whose only disk failed wants to end, and may hang over it: it is helped, and started again.
func (s *side) unfill(t *testing.T, broker int) error {
	if s.disk.path == "" {
		return nil // said at the beginning
	}
	if err := s.disk.empty(); err != nil {
		return err
	}
	s.Kill9(t, broker)
	return s.Up()
}

// limit has the cluster hold up whoever produces, by client; 0 is no limit.
func (s *side) limit(t *testing.T, bytesPerSecond float64) error {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	altered, err := kadm.NewClient(s.Client(t)).AlterClientQuotas(ctx, []kadm.AlterClientQuotaEntry{{
		Entity: kadm.ClientQuotaEntity{{Type: "client-id"}},
		Ops:    []kadm.AlterClientQuotaOp{{Key: "producer_byte_rate", Value: bytesPerSecond, Remove: bytesPerSecond == 0}},
	}})
	for _, a := range altered {
		err = errors.Join(err, a.Err)
	}
	return err
}

// moveLeaders makes the next replica of each partition the preferred one, and has it lead.
func (s *side) moveLeaders(t *testing.T) error {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	admin := kadm.NewClient(s.Client(t))
	topics, err := admin.ListTopics(ctx)
	if err != nil {
		return err
	}
	moves := kadm.AlterPartitionAssignmentsReq{}
	for _, name := range slices.Sorted(maps.Keys(topics)) {
		for _, p := range topics[name].Partitions.Sorted() {
			if len(p.Replicas) > 1 {
				moves.Assign(name, p.Partition, append(slices.Clone(p.Replicas[1:]), p.Replicas[0]))
			}
		}
	}
	if _, err = admin.AlterPartitionAssignments(ctx, moves); err != nil {
		return err
	}
	_, err = admin.ElectLeaders(ctx, kadm.ElectPreferredReplica, nil)
	return err
}
