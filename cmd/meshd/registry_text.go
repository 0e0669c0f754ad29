package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/checkpoint/rebuild"
)

// rebuilt is the report for people.
func rebuilt(w io.Writer, r rebuild.Report) error {
	t := newTable("REGISTRY", "KNOWN", rebuiltVerb(r), "WHICH")
	topics, writers := []string{}, []string{}
	for _, x := range r.Topics {
		name := fmt.Sprintf("%s (%s of %s)", x.Key, x.Entry.Topic, x.Entry.Origin)
		if x.Gone {
			name += ", which is gone"
		}
		topics = append(topics, name)
	}
	for _, x := range r.Writers {
		writers = append(writers, fmt.Sprintf("producer id %d: %s's shard %d, by its %s", x.ID, x.Origin, x.Shard, x.Proof))
	}
	t.add([]string{checkpoint.TopicsTopic, number(int64(r.Known.Topics)), number(int64(len(topics))), madeAnew(r.NewTopics)}, someOf(topics)...)
	t.add([]string{checkpoint.WritersTopic, number(int64(r.Known.Writers)), number(int64(len(writers))), madeAnew(r.NewWriter)}, someOf(writers)...)
	if err := t.print(w); err != nil {
		return err
	}
	var b strings.Builder
	for _, x := range r.Readers {
		b.WriteString(toldOf(r, x) + "\n")
	}
	for _, u := range r.Unknown {
		b.WriteString("not known: " + unknownOf(u) + "\n    " + hintNote(u.Then) + "\n")
	}
	b.WriteString(rebuiltNext(r) + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func rebuiltVerb(r rebuild.Report) string {
	if r.DryRun {
		return "WOULD ADD"
	}
	return "ADDED"
}

func madeAnew(anew bool) string {
	if anew {
		return "begins anew"
	}
	return "goes on"
}

const rebuiltMost = 20

func someOf(all []string) []string {
	if len(all) > rebuiltMost {
		return append(all[:rebuiltMost:rebuiltMost], fmt.Sprintf("and %s more; -o json has all", number(int64(len(all)-rebuiltMost))))
	}
	return all
}

func toldOf(r rebuild.Report, x rebuild.Reader) string {
	switch {
	case x.Why != "":
		return fmt.Sprintf("%s reads from here and could not be told: %s; run this again", x.Cluster, x.Why)
	case x.Told && r.DryRun:
		return fmt.Sprintf("%s reads from here, and would be told", x.Cluster)
	case x.Told:
		return fmt.Sprintf("%s reads from here, and was told", x.Cluster)
	}
	return fmt.Sprintf("%s reads from here, and has nothing to be told", x.Cluster)
}

func rebuiltNext(r rebuild.Report) string {
	switch {
	case r.DryRun:
		return "nothing was written: a dry run"
	case !r.Changed():
		return "nothing was missing"
	}
	return "start the nodes of " + string(r.Cluster) + "'s datacenter"
}

func unknownOf(u rebuild.Unknown) string {
	out := u.What + ": " + strings.Join(u.Which, ", ")
	if more := u.Count - len(u.Which); more > 0 {
		out += fmt.Sprintf(" and %s more", number(int64(more)))
	}
	return out
}
