package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshd/meshd/checkpoint/trace"
	"github.com/meshd/meshd/topology"
)

const explainRecordTimeout = 2 * time.Minute

func newExplainRecordCommand() *cobra.Command {
	var f clusterFlags
	cmd := &cobra.Command{
		Use: "record CLUSTER TOPIC PARTITION OFFSET --topology FILE", Short: "Tell the story of a record: its origin, its way, and the rules that let it pass or dropped it",
		Long: `Tell the story of a record: where it was first produced, who wrote it where it lies, where else it lies, and by which rule every
neighbour takes it or leaves it out.

The record is named by its place at a cluster. WHY is what a writer says of the record that has nothing of it yet, NOW what it says with
what it has; OVER is where a cluster reads the origin's records now. Clusters are asked, and nothing is written; those that don't answer
are left out.`,
		Example: "  meshd explain record eu orders 3 1234 --topology topology.yaml",
		Args:    exactly(4, "a cluster, a topic, a partition and an offset"),
		RunE:    func(cmd *cobra.Command, args []string) error { return runExplainRecord(cmd, f, args) },
	}
	f.addTo(cmd)
	return cmd
}

func runExplainRecord(cmd *cobra.Command, f clusterFlags, args []string) error {
	partition, perr := strconv.ParseInt(args[2], 10, 32)
	offset, oerr := strconv.ParseInt(args[3], 10, 64)
	if errors.Join(perr, oerr) != nil || partition < 0 || offset < 0 {
		return usageError{errors.New("PARTITION and OFFSET want whole numbers from 0")}
	}
	at := topology.Alias(args[0])
	r, err := visit(cmd, &f, at, explainRecordTimeout, func(ctx context.Context, s *site) (trace.Report, error) {
		r, err := trace.Run(ctx, trace.Config{Topology: s.topology, Dial: s.dial, Cluster: at, Topic: args[1], Partition: int32(partition), Offset: offset})
		if err != nil {
			err = fmt.Errorf("looking at %s/%d of %s at offset %d: %w", args[1], partition, at, offset, err)
		}
		return r, err
	})
	if err != nil {
		return err
	}
	return f.show(cmd, r, func(w io.Writer) error { return story(w, r) })
}

// story is the report for people.
func story(w io.Writer, r trace.Report) error {
	var b strings.Builder
	line := func(format string, args ...any) { b.WriteString(clean(fmt.Sprintf(format, args...)) + "\n") }
	line("%s %s/%d at %s: %s", r.Cluster, r.Topic, r.Partition, number(r.Offset), stateOf(r))
	if r.Writer != nil {
		line("writer: %s", writerOf(r.Writer))
	}
	if o := r.Origin; o != nil {
		line("origin: %s; %s", originOf(o), o.By)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	t := newTable("CLUSTER", "TOPIC", "RECORD", "OFFSET", "OVER")
	for _, c := range r.Copies {
		t.add([]string{string(c.Cluster), c.Topic, c.State, offsetOr(c.Offset), dashed(string(c.Over))}, noteOf(c))
	}
	if err := t.print(w); err != nil {
		return err
	}
	t = newTable("LINK", "WHY", "NOW")
	for _, x := range r.Rules {
		t.add([]string{x.Link, x.Act + " " + x.Why, dashed(x.Now)}, x.Text)
	}
	return t.print(w)
}

func stateOf(r trace.Report) string {
	log := fmt.Sprintf("the log has %s to %s", number(r.LogStart), number(r.LogEnd-1))
	if r.LogEnd == r.LogStart {
		log = "the log is empty"
	}
	switch r.State {
	case trace.Record:
		return "a record of " + r.At.Format(time.RFC3339Nano)
	case trace.Aborted:
		return "a record of an aborted transaction, of " + r.At.Format(time.RFC3339Nano)
	case trace.Marker:
		return "the marker of a transaction's end"
	case trace.NoRecord:
		return "no record lies there: compacted away, or never written; " + log
	case trace.Deleted:
		return "before the log's start; " + log
	case trace.Ahead:
		return "behind the log's end; " + log
	}
	return string(r.State)
}

func writerOf(w *trace.Writer) string {
	switch {
	case w.Registered:
		return fmt.Sprintf("producer id %d, registered: the writer of shard %d from %s, last by node %s", w.ProducerID, w.Shard, w.Origin, w.Node)
	case w.ProducerID < 0:
		return "an application, without a producer id"
	}
	return fmt.Sprintf("an application: producer id %d is not registered", w.ProducerID)
}

func originOf(o *trace.Origin) string {
	cluster := string(o.Cluster)
	if cluster == "" {
		cluster = "cluster id " + o.ID
	}
	out := fmt.Sprintf("%s %s/%d at %s", cluster, o.Topic, o.Partition, offsetOr(o.Offset))
	if o.LeaderEpoch >= 0 {
		out += fmt.Sprintf(" (incarnation %d, leader epoch %d)", o.Incarnation, o.LeaderEpoch)
	}
	return out
}

func offsetOr(offset int64) string {
	if offset < 0 {
		return unknown
	}
	return number(offset)
}

func dashed(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// noteOf leaves out what the columns say.
func noteOf(c trace.Copy) string {
	if c.State == "here" || c.State == "home" {
		return ""
	}
	return c.Text
}
