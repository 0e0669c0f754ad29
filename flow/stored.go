package flow

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// stored is what a shard's ledgers held when it was taken over.
type stored struct {
	progress map[string]checkpoint.Progress
	pages    checkpoint.Pages
	sent     map[string]int64 // records of this epoch that were sent to partitions which were closed since, whether they arrived or not
}

// read reads both ledgers. It is done behind the fence: nobody else can add to them any more.
func (s *stored) read(ctx context.Context, c *kafka.Cluster, id topology.Shard) error {
	s.pages, s.sent = checkpoint.Pages{}, map[string]int64{}
	if err := s.readProgress(ctx, c, id); err != nil {
		return err
	}
	offsets := checkpoint.Table{
		Cluster: c, Topic: checkpoint.OffsetsTopic(id.Origin), Partition: int32(id.Number), Apply: s.applyPage,
	}
	return offsets.Refresh(ctx)
}

func (s *stored) readProgress(ctx context.Context, c *kafka.Cluster, id topology.Shard) error {
	s.progress = map[string]checkpoint.Progress{}
	t := checkpoint.Table{
		Cluster: c, Topic: checkpoint.ProgressTopic(id.Origin), Partition: int32(id.Number), Apply: s.applyProgress,
	}
	return t.Refresh(ctx)
}

func (s *stored) applyProgress(r *kgo.Record) error {
	if r.Value == nil {
		delete(s.progress, string(r.Key))
		return nil
	}
	p, err := checkpoint.DecodeProgress(r.Value)
	if err != nil {
		return fmt.Errorf("progress of %s: %w", r.Key, err)
	}
	s.progress[string(r.Key)] = p
	return nil
}

func (s *stored) applyPage(r *kgo.Record) error { return s.pages.Apply(r) }

// keep remembers what a part leaves that is closed while its epoch goes on.
func (s *stored) keep(p *part) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s.progress[p.Key()] = p.prog
	if n := len(p.busy); n > 0 {
		s.sent[p.Key()] = p.busy[n-1].first + int64(p.busy[n-1].count)
	}
	s.pages.Put(p.mapKey(), p.xlate)
}
