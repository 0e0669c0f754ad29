package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"github.com/meshd/meshd/admin"
	"github.com/meshd/meshd/admin/metrics"
	"github.com/meshd/meshd/datapath"
	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/internal/embedded"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/mesh"
	"github.com/meshd/meshd/mesh/liveness"
	"github.com/meshd/meshd/topology"
)

// nodeProcess is one running node: what it is made of, and the order in which that starts and stops.
type nodeProcess struct {
	flags    runFlags
	topology *topology.Topology // of the file that the node was started with
	node     topology.Node
	log      *slog.Logger

	registry *prometheus.Registry
	metrics  *metrics.Metrics
	runner   *datapath.Runner
	liveness *liveness.Liveness
	mesh     *mesh.Node
}

// leaveTime bounds the handing over of a planned stop. A second signal cuts it short.
const leaveTime = 15 * time.Second

func (n *nodeProcess) run(ctx context.Context) (err error) {
	clusters := &embedded.Clusters{}
	defer clusters.Close()
	dialer := &kafka.Dialer{Datacenter: n.node.Datacenter, SecretsDir: n.flags.secretsDir, ClientID: "meshd/" + n.node.Name, Embedded: clusters.Addresses}
	if err := n.secrets(dialer); err != nil {
		return err
	}
	n.registry = prometheus.NewRegistry()
	n.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if n.metrics, err = metrics.New(n.registry, version); err != nil {
		return err
	}
	n.runner = datapath.New(flow.Config{Node: n.node.Name, Log: n.log, Observer: n.metrics, Dialer: dialer})
	n.liveness = liveness.New(dialer, n.log)
	n.liveness.Follow(n.topology)
	defer n.liveness.Close()
	defer n.runner.Close()
	if err := n.join(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.mesh.Close()) }()
	return n.serve(ctx)
}

// secrets looks whether the secrets of all clusters that this node needs can be read, before anything begins.
func (n *nodeProcess) secrets(d *kafka.Dialer) error {
	for p := range n.topology.Pairs() {
		if n.topology.Clusters[p.Destination].Datacenter != n.node.Datacenter {
			continue
		}
		for _, a := range []topology.Alias{p.Source, p.Destination} {
			c, err := d.Dial(n.topology.Clusters[a])
			if err != nil {
				return usageError{withNextStep(err)}
			}
			c.Close()
		}
	}
	return nil
}

// join makes the node a part of the mesh: from here on it is told what to run.
func (n *nodeProcess) join() (err error) {
	n.mesh, err = mesh.Start(mesh.Config{
		Node: n.node.Name, DataDir: n.flags.dataDir, SecretsDir: n.flags.secretsDir, Bind: n.flags.bind, Topology: n.topology, Build: version,
		Runner: runnerAdapter{n.runner, n.liveness}, Liveness: n.liveness, Log: n.log, Metrics: n.registry,
	})
	if err != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			err = fmt.Errorf("%w (is another node running with this address?)", err)
		}
		return usageError{err} // an address or directory in use, files of secrets that can't be read
	}
	return nil
}

// serve answers the admin API until the node is told to stop, and to the end of the handing over, so that it can be watched.
func (n *nodeProcess) serve(ctx context.Context) error {
	server, watch, err := n.admin(ctx)
	if err != nil {
		return err
	}
	api, stop := context.WithCancel(context.WithoutCancel(ctx))
	var group errgroup.Group
	group.Go(func() error { return server.Run(api) })
	group.Go(func() error { watch.Run(api); return nil })
	n.log.Info("node started", slog.String("node", n.node.Name), slog.String("admin", server.Addr().String()), slog.Any("topology", n.topology.Stamp()))
	n.reloadUntil(ctx)
	n.log.Info("stopping: handing over; a second signal cuts it short", slog.Any("cause", context.Cause(ctx)))
	n.leave()
	stop()
	return group.Wait()
}

// leave hands everything over, as far as there is somebody to take it.
func (n *nodeProcess) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), leaveTime)
	defer cancel()
	ctx, again := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer again()
	if err := n.mesh.Leave(ctx); err != nil {
		n.log.Warn("leaving", slog.Any("error", err))
	}
}

// reloadUntil takes up the topology file anew at each SIGHUP, until ctx ends. A file that is not valid, or not newer, changes
// nothing.
func (n *nodeProcess) reloadUntil(ctx context.Context) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
		}
		t, err := loadTopology(n.flags.topology)
		if err == nil {
			err = n.mesh.Offer(t, n.flags.topology)
		}
		if err != nil {
			n.log.Warn("topology file refused", slog.String("file", n.flags.topology), slog.Any("error", err), slog.String("hint", "what runs goes on; correct the file and send SIGHUP again"))
			continue
		}
		n.log.Info("topology file read again", slog.String("file", n.flags.topology))
	}
}

// admin binds the API's address and says what is shown there.
func (n *nodeProcess) admin(ctx context.Context) (*admin.Server, *admin.Watch, error) {
	part := meshAdapter{n.mesh}
	watch := admin.NewWatch(flowsAdapter{n.runner.Manager, n.liveness}, part)
	if err := n.metrics.Follow(watch, groupsAdapter{n.runner}); err != nil {
		return nil, nil, err
	}
	cfg := admin.Config{
		Node: n.node.Name, Datacenter: n.node.Datacenter, Build: version, Log: n.log, Watch: watch, Panicked: n.metrics.Panicked,
		Groups: groupsAdapter{n.runner}, Translator: translatorAdapter{n.runner}, Topologies: part, Nodes: part, Metrics: metrics.Handler(n.registry),
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
