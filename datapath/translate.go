package datapath

import (
	"context"
	"fmt"

	"github.com/meshd/meshd/checkpoint/groupsync"
	"github.com/meshd/meshd/topology"
)

// Translate opens a translator between two clusters and gives it to use. Any node can, whatever it holds: all that is needed is in
// Kafka. It reads both clusters anew.
func (r *Runner) Translate(ctx context.Context, from, to topology.Alias, use func(*groupsync.Translator) error) error {
	r.mu.Lock()
	t := r.topo
	r.mu.Unlock()
	if t == nil {
		return fmt.Errorf("no topology yet: %w", groupsync.ErrUnknown)
	}
	for _, a := range []topology.Alias{from, to} {
		if _, ok := t.Clusters[a]; !ok {
			return fmt.Errorf("cluster %s: %w", a, groupsync.ErrUnknown)
		}
	}
	s := &syncing{}
	source, err := r.member(t, from, nil, s)
	if err != nil {
		return err
	}
	target, err := r.member(t, to, nil, s)
	if err != nil {
		return err
	}
	defer s.close()
	tr, err := groupsync.NewTranslator(ctx, source, target)
	if err != nil {
		return fmt.Errorf("reading the maps between %s and %s: %w", from, to, err)
	}
	return use(tr)
}
