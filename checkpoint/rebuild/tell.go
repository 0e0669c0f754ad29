package rebuild

import (
	"context"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// tell has the clusters that read from here remember the registry's birth. One that can't be reached is told when this runs again.
func (b *builder) tell(ctx context.Context) error {
	for _, a := range b.readers() {
		r := Reader{Cluster: a}
		var err error
		if r.Told, err = b.tellOne(ctx, a); err != nil {
			r.Why = kafka.Explain(err, kafka.ClusterUnreachable).Text
		}
		b.report.Readers = append(b.report.Readers, r)
	}
	return nil
}

func (b *builder) tellOne(ctx context.Context, a topology.Alias) (told bool, err error) {
	c, err := b.Dial(a)
	if err != nil {
		return false, err
	}
	defer c.Close()
	theirs := checkpoint.NewTopics(c)
	if err := theirs.Refresh(ctx); err != nil {
		if checkpoint.IsNoTable(err) {
			return false, nil // it has never read anything
		}
		return false, err
	}
	was := theirs.Seen(b.report.Cluster)
	switch {
	case was == "" || was == b.report.Birth && b.report.Birth != "":
		return false, nil
	case b.DryRun:
		return true, nil
	}
	return true, theirs.Remember(ctx, b.report.Cluster, b.report.Birth)
}
