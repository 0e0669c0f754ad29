package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"gopkg.in/yaml.v3"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/metasync"
	"github.com/meshd/meshd/topology"
)

type importFlags struct {
	clusterFlags
	at, position string
	from         []string
}

const importTimeout = 5 * time.Minute

func newImportCommand() *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use:   "import TOPIC --at CLUSTER --from ORIGIN[,ORIGIN] --topology FILE",
		Short: "Take over a topic of one name everywhere that another tool had copied",
		Long: `Take over TOPIC at CLUSTER, into which another tool had copied what was produced at ORIGIN, with one name everywhere (naming: identity).

What a tool copied looks as if it had been produced where it is. So a cut is taken at the end of the log: nothing below it is sent to
other clusters as CLUSTER's own. And copying from each ORIGIN goes on where the tool stopped: MirrorMaker 2 with IdentityReplicationPolicy
noted that itself (mm2-offsets.ORIGIN.internal at CLUSTER); of any other tool --position names a YAML file with the next offset
of each partition. Without a position nothing is done.

  us: {0: 120500, 1: 119870}

Stop the tool before, and the applications that write at CLUSTER if what they wrote last is to be sent on; and run this before the link
that carries the topic is applied: a topic that is carried already is refused. It writes to the registry of CLUSTER (meshd.topics), and
nothing else. Run twice it says what was taken.`,
		Example: "  meshd import orders --at eu --from us --topology topology.yaml\n  meshd import orders --at eu --from us,ap --position positions.yaml --topology topology.yaml",
		Args:    exactly(1, "the topic"),
		RunE:    func(cmd *cobra.Command, args []string) error { return runImport(cmd, f, args[0]) },
	}
	f.addTo(cmd)
	cmd.Flags().StringVar(&f.at, "at", "", "alias of the cluster into which it was copied")
	cmd.Flags().StringSliceVar(&f.from, "from", nil, "aliases of the clusters from which it was copied")
	cmd.Flags().StringVar(&f.position, "position", "", "file with the tool's positions, where it is not MirrorMaker 2")
	for _, name := range []string{"at", "from"} {
		_ = cmd.MarkFlagRequired(name) // the flag exists: it was just added
	}
	return cmd
}

func runImport(cmd *cobra.Command, f importFlags, topic string) error {
	if err := f.check(); err != nil {
		return err
	}
	t, dial, err := f.open(topology.Alias(f.at), "import")
	if err != nil {
		return err
	}
	if err := f.carries(t, topic); err != nil {
		return usageError{err}
	}
	m := metasync.Import{Topic: topic, From: map[topology.Alias]*kafka.Cluster{}}
	if m.Positions, err = f.positions(); err != nil {
		return usageError{err}
	}
	closeAll, err := f.reach(&m, t, dial)
	defer closeAll()
	if err != nil {
		return usageError{withNextStep(err)}
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), importTimeout)
	defer cancel()
	cut, already, err := m.Run(ctx)
	if carried, ok := errors.AsType[*metasync.CarriedError](err); ok {
		return refusedError{carried}
	}
	if err != nil {
		return withNextStep(err)
	}
	return f.print(cmd, topic, cut, already)
}

// carries says why a topic can't be imported by the topology, if so.
func (f *importFlags) carries(t *topology.Topology, topic string) error {
	for _, a := range f.from {
		settings, err := settingsOf(t, topology.Pair{Source: topology.Alias(a), Destination: topology.Alias(f.at)}, topic)
		if errors.Is(err, errNoLink) { // it may come over other clusters
			if _, ok := t.Clusters[topology.Alias(a)]; !ok || a == f.at {
				return fmt.Errorf("--from wants other clusters of the topology, not %q", a)
			}
			continue
		}
		if err != nil {
			return err
		}
		if settings.Naming != topology.Identity {
			return fmt.Errorf("topic %s has naming: prefix: meshd adopt takes over its copies", topic)
		}
	}
	return nil
}

// positions reads the file of --position; nil without one.
func (f *importFlags) positions() (map[topology.Alias]map[int32]int64, error) {
	if f.position == "" {
		return nil, nil //nolint:nilnil // the tool is MirrorMaker 2
	}
	data, err := os.ReadFile(f.position)
	if err != nil {
		return nil, fmt.Errorf("reading the positions: %w", err)
	}
	out := map[topology.Alias]map[int32]int64{}
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(&out); err != nil {
		return nil, fmt.Errorf("reading the positions in %s: %w", f.position, err)
	}
	return out, nil
}

// reach makes the clients: of the cluster itself, of the origins, and of those that read from the cluster.
func (f *importFlags) reach(m *metasync.Import, t *topology.Topology, dial dialFunc) (closeAll func(), err error) {
	var open []*kafka.Cluster
	closeAll = func() {
		for _, c := range open {
			c.Close()
		}
	}
	get := func(a topology.Alias) *kafka.Cluster {
		c, derr := dial(a)
		if derr != nil {
			err = errors.Join(err, derr)
			return nil
		}
		open = append(open, c)
		return c
	}
	m.At = get(topology.Alias(f.at))
	for _, a := range f.from {
		m.From[topology.Alias(a)] = get(topology.Alias(a))
	}
	for pair, l := range t.Pairs() {
		if _, carried := l.Topic(m.Topic); carried && pair.Source == topology.Alias(f.at) {
			m.Readers = append(m.Readers, get(pair.Destination))
		}
	}
	return closeAll, err
}

// imported is what -o json prints.
type imported struct {
	Topic   string `json:"topic"`
	Cluster string `json:"cluster"`
	Already bool   `json:"already"`
	checkpoint.Cut
}

func (f *importFlags) print(cmd *cobra.Command, topic string, cut checkpoint.Cut, already bool) error {
	if f.output == "json" {
		return printJSON(cmd.OutOrStdout(), imported{topic, f.at, already, cut})
	}
	what := "taken"
	if already {
		what = "was taken before"
	}
	cmd.Printf("%s at %s: the cut %s\n", topic, f.at, what)
	tab := newTable("PARTITION", "NOT SENT FROM "+f.at, "COPIED FROM", "GOES ON AT")
	for _, p := range slices.Sorted(maps.Keys(cut.Below)) {
		for _, a := range slices.Sorted(maps.Keys(cut.From)) {
			on := "the beginning"
			if x, ok := cut.From[a].Partitions[p]; ok {
				on = strconv.FormatInt(x.Offset, 10)
			}
			tab.add([]string{strconv.Itoa(int(p)), "below " + strconv.FormatInt(cut.Below[p], 10), string(a), on})
		}
	}
	return tab.print(cmd.OutOrStdout())
}
