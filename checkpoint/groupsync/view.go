package groupsync

import (
	"context"
	"fmt"
	"time"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/checkpoint/groups"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/offsetxlate"
	"github.com/meshd/meshd/topology"
)

// Member is one cluster as a Syncer sees it.
type Member struct {
	Alias   topology.Alias
	Cluster *kafka.Cluster
	Link    *topology.Link   // that leads from it to the home; nil for the home itself
	Origins []topology.Alias // whose topics are copied to it
}

// view is what was read of one cluster in one round. It goes on from the round before: registry and maps are followed.
type view struct {
	Member
	groups   *groups.Cluster
	registry *checkpoint.Topics
	maps     map[topology.Alias]*checkpoint.Maps

	custody *custodies

	names   names
	listing groups.Listing
	topics  map[string][]kafka.Partition
	located time.Time // when topics was read
	logs    logs
	commits map[string]groups.GroupCommits
	err     error // the cluster is unknown in this round
}

func newView(m Member) *view {
	v := &view{Member: m, groups: groups.New(m.Cluster.Client, m.Cluster.Config.RequestTimeout), maps: map[topology.Alias]*checkpoint.Maps{}}
	v.forget()
	return v
}

// forget drops what was followed: after an error it is read from its beginning.
func (v *view) forget() {
	v.registry, v.custody = checkpoint.NewTopics(v.Cluster), newCustodies(v.Cluster)
	for _, o := range v.Origins {
		v.maps[o] = checkpoint.NewMaps(v.Cluster, o)
	}
}

const readTimeout = 10 * time.Second

// list reads all but the commits.
func (v *view) list(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	v.listing, v.err = v.groups.List(ctx)
}

func (v *view) follow(ctx context.Context) error {
	if err := v.registry.Refresh(ctx); err != nil && !checkpoint.IsNoTable(err) {
		return fmt.Errorf("following the registry of %s: %w", v.Alias, err)
	}
	v.names = newNames(v.Alias, v.registry.Entries())
	if err := v.locate(ctx); err != nil {
		return err
	}
	for o, m := range v.maps {
		if err := m.Refresh(ctx); err != nil && !checkpoint.IsNoTable(err) {
			return fmt.Errorf("following the maps of %s at %s: %w", o, v.Alias, err)
		}
	}
	return nil
}

// locateEvery is seldom enough for clusters of many thousands of partitions, and often enough for new ones.
const locateEvery = 3 * time.Second

func (v *view) locate(ctx context.Context) (err error) {
	if time.Since(v.located) < locateEvery {
		return nil
	}
	if v.topics, err = v.Cluster.Locate(ctx); err == nil {
		v.located = time.Now()
	}
	return err
}

// read reads the commits of the groups that matter.
func (v *view) read(ctx context.Context, names []string) {
	if v.err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	v.commits = v.groups.Commits(ctx, names)
}

// mapOf is the map of a coordinate's copy at this cluster; nil if there is none yet.
func (v *view) mapOf(c coordinate) (*offsetxlate.Map, error) {
	m := v.maps[c.Origin]
	if m == nil {
		return nil, nil //nolint:nilnil // no link copies that origin to here
	}
	return m.Of(c.Topic, c.Partition)
}

// again reads names and maps once more, so that they cover the commits.
func (v *view) again(ctx context.Context) {
	if v.err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if v.err = v.follow(ctx); v.err != nil {
		v.forget()
	}
}

// readCustody reads what meshd remembers of the groups at this cluster. Where meshd never wrote it remembers nothing.
func (v *view) readCustody(ctx context.Context) {
	if v.err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if err := v.custody.table.Refresh(ctx); err != nil && !checkpoint.IsNoTable(err) {
		v.err = err
		v.forget()
	}
}

// logs is where the partitions of a cluster begin and end.
type logs map[groups.Partition]kafka.Bounds

// measure reads the bounds of the topics in ps. It comes after the commits: a commit that is newer than the end lies behind it.
func (v *view) measure(ctx context.Context, ps []kafka.Partition) {
	v.logs = logs{}
	if v.err != nil || len(ps) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	found, err := v.Cluster.Bounds(ctx, ps)
	v.err = err
	for i, p := range ps {
		if found[i].Err == nil {
			v.logs[groups.Partition{Topic: p.Topic, Number: p.Number}] = found[i]
		}
	}
}
