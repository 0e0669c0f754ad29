package rebuild

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/topology"
)

// decide says what is missing, and what can't be known.
func (b *builder) decide(context.Context) error {
	entries := maps.Clone(b.registry.Entries())
	for _, o := range b.found {
		b.decideWriters(o)
		for _, t := range b.copiesOf(o) {
			if _, known := b.registry.Entries()[t.Key]; !known {
				b.report.Topics = append(b.report.Topics, t)
				entries[t.Key] = t.Entry
			}
		}
	}
	if b.report.NewTopics {
		b.lookAlikes(entries)
		b.neighbours()
	}
	return nil
}

func (b *builder) decideWriters(o *origin) {
	var missing []Writer
	var twice, ids []string
	for _, id := range o.order {
		switch was, known := b.writers.Lookup(id); {
		case !known:
			missing = append(missing, *o.writers[id])
			ids = append(ids, strconv.FormatInt(id, 10))
		case was.Origin != o.alias:
			twice = append(twice, strconv.FormatInt(id, 10))
		}
	}
	b.report.unknown("producer ids that the registry has for another origin than "+string(o.alias), "links that read here stay stopped; report this", twice...)
	b.report.unknown("copies from "+string(o.alias)+" of which not all writers could be found", "their map was thinned; if a link stops for registry_lost there, it does so rightly", slices.Compact(o.unproven)...)
	if o.id == "" && len(missing) > 0 {
		b.report.unknown(fmt.Sprintf("writers of %s, whose cluster id is not known", o.alias), "give the cluster its id in the topology, or let it be reached, and run this again", ids...)
		return
	}
	b.report.Writers = append(b.report.Writers, missing...)
}

// copiesOf are the entries of what came from an origin, by the topic that its progress names.
func (b *builder) copiesOf(o *origin) (out []Topic) {
	at, copied := map[string][16]byte{}, map[string]int{}
	for key, prog := range o.holdings.All() {
		topic, _, err := checkpoint.SplitKey(key)
		if err != nil {
			continue // read before
		}
		if _, there := b.names[prog.DstID]; there || copied[topic] == 0 {
			at[topic] = prog.DstID
		}
		copied[topic]++
	}
	var started []string
	for _, topic := range slices.Sorted(maps.Keys(at)) {
		t := b.copyOf(o, topic, at[topic], copied[topic])
		out = append(out, t)
		if n := len(b.byID[at[topic]]) - t.copied; n > 0 {
			started = append(started, fmt.Sprintf("%s (%d partitions)", t.Key, n))
		}
	}
	b.report.unknown("copies from "+string(o.alias)+" of which partitions have not begun", "where they were to begin is not known: they begin at the earliest record", started...)
	return out
}

func (b *builder) copyOf(o *origin, topic string, id [16]byte, copied int) Topic {
	name, there := b.names[id]
	if !there {
		name = b.nameOf(o.alias, topic)
		there = id == [16]byte{} && b.topics[name] != nil
	}
	t := Topic{Key: name, Gone: !there, copied: copied}
	t.Entry = checkpoint.TopicEntry{Kind: checkpoint.Created, Origin: o.alias, Topic: topic, TopicID: checkpoint.TopicID(id), Start: "earliest", Initial: copied}
	if name == topic {
		t.Key, t.Entry.Kind, t.Entry.TopicID = checkpoint.FromKey(topic, o.alias), checkpoint.Shared, ""
	}
	return t
}

// nameOf is what the topology calls an origin's topic here.
func (b *builder) nameOf(origin topology.Alias, topic string) string {
	separator := "."
	for p, l := range b.Topology.Pairs() {
		if p.Destination != b.report.Cluster {
			continue
		}
		s, carried := l.Topic(topic)
		if carried && s.Naming == topology.Identity {
			return topic
		}
		separator = s.Separator
	}
	return loop.RemoteName(origin, separator, topic)
}

// lookAlikes are topics that are named like copies, of which nothing else is known.
func (b *builder) lookAlikes(entries map[string]checkpoint.TopicEntry) {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(b.topics)) {
		_, known := entries[name]
		alias, _, dotted := strings.Cut(name, ".")
		if _, is := b.Topology.Clusters[topology.Alias(alias)]; dotted && is && !known && topology.Alias(alias) != b.report.Cluster {
			names = append(names, name)
		}
	}
	b.report.unknown("topics that are named like copies, and no progress knows them", "they are left alone until a person decides again: meshd adopt, with --local for those that are produced here", names...)
}

// neighbours says what only people's decisions and neighbours had told.
func (b *builder) neighbours() {
	var shared []string
	for _, t := range b.report.Topics {
		if t.Entry.Kind == checkpoint.Shared {
			shared = append(shared, t.Entry.Topic)
		}
	}
	slices.Sort(shared)
	b.report.unknown("topics with one name everywhere that may have had the cut of an import", "if meshd import was run for one of them here, exclude it from links to clusters that have not read it yet", slices.Compact(shared)...)
	var from []string
	for p := range b.Topology.Pairs() {
		if p.Destination == b.report.Cluster {
			from = append(from, string(p.Source))
		}
	}
	slices.Sort(from)
	b.report.unknown("clusters of whose registries the birth was remembered here", "what their registries are now is taken for what they were: look whether one of them was lost too", slices.Compact(from)...)
}
