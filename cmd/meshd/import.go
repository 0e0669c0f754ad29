package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
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
	atFlags
	position string
	from     []string
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
	f.addTo(cmd, "into which it was copied")
	cmd.Flags().StringSliceVar(&f.from, "from", nil, "aliases of the clusters from which it was copied")
	cmd.Flags().StringVar(&f.position, "position", "", "file with the tool's positions, where it is not MirrorMaker 2")
	_ = cmd.MarkFlagRequired("from") // the flag exists: it was just added
	return cmd
}

func runImport(cmd *cobra.Command, f importFlags, topic string) error {
	x, err := visit(cmd, &f.clusterFlags, f.at, importTimeout, func(ctx context.Context, s *site) (x imported, err error) {
		m, err := f.plan(s, topic)
		if err != nil {
			return x, err
		}
		x = imported{Topic: topic, Cluster: f.at}
		x.Cut, x.Already, err = m.Run(ctx)
		if carried, ok := errors.AsType[*metasync.CarriedError](err); ok {
			return x, refusedError{carried}
		}
		return x, err
	})
	if err != nil {
		return err
	}
	return f.show(cmd, x, x.print)
}

// plan is the import that is asked for, if the topology and the positions let it be.
func (f *importFlags) plan(s *site, topic string) (m metasync.Import, err error) {
	m = metasync.Import{Topic: topic, From: map[topology.Alias]*kafka.Cluster{}}
	if err := f.carries(s.topology, topic); err != nil {
		return m, usageError{err}
	}
	if m.Positions, err = f.positions(); err != nil {
		return m, usageError{err}
	}
	return m, f.reach(&m, s)
}

func (f *importFlags) origins() (out []topology.Alias) {
	for _, a := range f.from {
		out = append(out, topology.Alias(a))
	}
	return out
}

// carries says why a topic can't be imported by the topology, if so.
func (f *importFlags) carries(t *topology.Topology, topic string) error {
	for _, a := range f.origins() {
		settings, err := settingsOf(t, topology.Pair{Source: a, Destination: f.at}, topic)
		if errors.Is(err, errNoLink) { // it may come over other clusters
			if _, ok := t.Clusters[a]; !ok || a == f.at {
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
func (f *importFlags) reach(m *metasync.Import, s *site) error {
	origins := f.origins()
	var readers []topology.Alias
	for pair, l := range s.topology.Pairs() {
		if _, carried := l.Topic(m.Topic); carried && pair.Source == f.at {
			readers = append(readers, pair.Destination)
		}
	}
	all, err := s.reach(slices.Concat([]topology.Alias{f.at}, origins, readers)...)
	if err != nil {
		return err
	}
	m.At, m.Readers = all[0], all[1+len(origins):]
	for i, a := range origins {
		m.From[a] = all[1+i]
	}
	return nil
}

// imported is what -o json prints.
type imported struct {
	Topic   string         `json:"topic"`
	Cluster topology.Alias `json:"cluster"`
	Already bool           `json:"already"`
	checkpoint.Cut
}

func (x imported) print(w io.Writer) error {
	what := "taken"
	if x.Already {
		what = "was taken before"
	}
	if _, err := fmt.Fprintf(w, "%s at %s: the cut %s\n", x.Topic, x.Cluster, what); err != nil {
		return err
	}
	tab := newTable("PARTITION", "NOT SENT FROM "+string(x.Cluster), "COPIED FROM", "GOES ON AT")
	for _, p := range slices.Sorted(maps.Keys(x.Below)) {
		for _, a := range slices.Sorted(maps.Keys(x.From)) {
			on := "the beginning"
			if place, ok := x.From[a].Partitions[p]; ok {
				on = strconv.FormatInt(place.Offset, 10)
			}
			tab.add([]string{strconv.Itoa(int(p)), "below " + strconv.FormatInt(x.Below[p], 10), string(a), on})
		}
	}
	return tab.print(w)
}
