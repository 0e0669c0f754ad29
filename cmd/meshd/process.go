package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"github.com/meshd/meshd/admin"
	"github.com/meshd/meshd/admin/metrics"
	"github.com/meshd/meshd/datapath"
	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/internal/embedded"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/raftstore"
	"github.com/meshd/meshd/topology"
)

// nodeProcess is one running node: what it is made of, and the order in which that starts and stops.
type nodeProcess struct {
	flags    runFlags
	topology *topology.Topology
	node     topology.Node
	log      *slog.Logger
}

// run starts the admin API first, so that a node that can reach nothing can be asked why, and the data path after it; it stops the
// data path first, so that the drain can be watched.
func (n *nodeProcess) run(ctx context.Context) (err error) {
	dir, err := raftstore.OpenDir(n.flags.dataDir, raftstore.Identity{Mesh: n.topology.Mesh, Datacenter: n.node.Datacenter, Node: n.node.Name})
	if err != nil {
		return usageError{err}
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	clusters := &embedded.Clusters{}
	defer clusters.Close()
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m, err := metrics.New(registry, version)
	if err != nil {
		return err
	}
	runner := datapath.New(flow.Config{
		Node: n.node.Name, Log: n.log, Observer: m,
		Dialer: &kafka.Dialer{Datacenter: n.node.Datacenter, SecretsDir: n.flags.secretsDir, ClientID: "meshd/" + n.node.Name, Embedded: clusters.Addresses},
	})
	server, watch, err := n.admin(ctx, runner, m, registry)
	if err != nil {
		return err
	}
	api, stop := context.WithCancel(context.WithoutCancel(ctx))
	var group errgroup.Group
	group.Go(func() error { return server.Run(api) })
	group.Go(func() error { watch.Run(api); return nil })
	n.log.Info("node started", slog.String("node", n.node.Name), slog.String("admin", server.Addr().String()), slog.Int64("topology", n.topology.Version))
	if err := runner.Apply(n.topology, everything(n.topology, n.node.Datacenter)); err != nil {
		n.log.Error("applying the topology", slog.Any("error", err))
	}
	<-ctx.Done()
	n.log.Info("stopping: what is under way is let arrive", slog.Any("cause", context.Cause(ctx)))
	runner.Close()
	stop()
	return group.Wait()
}

// admin binds the API's address before anything else is done: an address in use is found at once.
func (n *nodeProcess) admin(ctx context.Context, r *datapath.Runner, m *metrics.Metrics, g prometheus.Gatherer) (*admin.Server, *admin.Watch, error) {
	watch := admin.NewWatch(r.Manager, fixed{n.topology})
	if err := m.Follow(watch, groupsAdapter{r}); err != nil {
		return nil, nil, err
	}
	cfg := admin.Config{
		Node: n.node.Name, Datacenter: n.node.Datacenter, Build: version, Log: n.log, Watch: watch, Panicked: m.Panicked,
		Groups: groupsAdapter{r}, Translator: translatorAdapter{r}, Topologies: fixed{n.topology}, Metrics: metrics.Handler(g),
	}
	if err := n.secure(&cfg); err != nil {
		return nil, nil, usageError{err}
	}
	s, err := admin.Listen(ctx, n.listenOn(n.node.Admin), cfg)
	if err != nil {
		return nil, nil, fmt.Errorf("%w (is another node running with this address?)", err)
	}
	return s, watch, nil
}

// listenOn is where the node listens for those who reach it at address: --bind, or the topology's bind, or that address itself.
func (n *nodeProcess) listenOn(address string) string {
	bind := cmp.Or(n.flags.bind, n.node.Bind)
	_, port, err := net.SplitHostPort(address)
	if bind == "" || err != nil {
		return address
	}
	return net.JoinHostPort(bind, port)
}

func (n *nodeProcess) secure(cfg *admin.Config) (err error) {
	sec := n.topology.Security
	if sec == nil {
		return nil
	}
	var tlsConfig *tls.Config
	if tlsConfig, err = admin.ServerTLS(sec.TLS, n.flags.secretsDir); err != nil {
		return fmt.Errorf("security.tls: %w", err)
	}
	cfg.TLS = tlsConfig
	if sec.TokensFile == "" {
		return nil
	}
	file := sec.TokensFile
	if !filepath.IsAbs(file) {
		file = filepath.Join(n.flags.secretsDir, file)
	}
	if cfg.Tokens, err = admin.LoadTokens(file); err != nil {
		return errors.Join(errors.New("security.admin.tokens_file can't be used"), err)
	}
	return nil
}

// everything is all shards that end in a datacenter.
func everything(t *topology.Topology, dc string) []flow.Held {
	var held []flow.Held
	for p := range t.Pairs() {
		if t.Clusters[p.Destination].Datacenter != dc {
			continue
		}
		for n := range topology.Shards {
			held = append(held, flow.Held{Shard: topology.Shard{Origin: p.Source, Destination: p.Destination, Number: n}, Epoch: 1})
		}
	}
	return held
}
