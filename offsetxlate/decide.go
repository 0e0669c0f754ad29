package offsetxlate

import "github.com/meshd/meshd/topology"

// frontier is how far the group has consumed an origin partition: everything below at, and at most reread records behind it.
type frontier struct {
	at       Source
	known    bool
	chosen   bool // a consumer's commit gave it
	metadata string
	reread   int64
	fault    Reason // a commit that did not count
	faultAt  topology.Alias
}

// Decide says where the group is to be placed at view.Here, from what was seen of it everywhere. Every node runs it for its own
// cluster, so that a group can go and come back. The caller has to commit only where the commit at Here is still the one in the
// view and the group is still without members, and to write the record in the same transaction; where it leaves out the metadata
// of a place, in the record too.
func Decide(view GroupView) Decision {
	d := newDecider(view)
	reason, cluster := d.veto()
	if reason != "" {
		return d.refuse(reason, cluster)
	}
	d.alive = d.membersElsewhere()
	frontiers := make([]frontier, len(view.Partitions))
	for i := range view.Partitions {
		frontiers[i] = d.frontier(&view.Partitions[i])
	}
	out := make([]Placement, len(view.Partitions))
	placed := d.placedTopics()
	for i := range out {
		out[i] = d.place(&view.Partitions[i], &frontiers[i])
		if out[i].Place() {
			placed[out[i].At.Topic] = true
		}
	}
	for i := range out {
		if out[i].Reason == ReasonNoCommit && placed[out[i].At.Topic] {
			d.uncommitted(&view.Partitions[i], &out[i])
		}
	}
	return d.record(out, frontiers)
}

// refuse gives every partition the same reason. That the group is separate is written at Here, so that it lasts.
func (d *decider) refuse(reason Reason, cluster topology.Alias) Decision {
	out := make([]Placement, len(d.view.Partitions))
	for i := range out {
		out[i] = d.blank(&d.view.Partitions[i])
		out[i].Reason, out[i].Cluster = reason, cluster
	}
	here, read := d.sites[d.view.Here]
	return Decision{Placements: out, Custody: d.book, Write: read && d.book.Separate && !here.Custody.Separate}
}

func (d *decider) blank(p *PartitionView) Placement {
	out := Placement{Partition: p.Partition, Cluster: d.view.Here}
	if l := p.at(d.view.Here); l != nil {
		out.At = TopicPartition{Topic: l.Topic, Partition: p.Number}
	}
	return out
}

// frontier is the maximum of what was recorded and of every commit at a cluster of the chain.
func (d *decider) frontier(p *PartitionView) frontier {
	var f frontier
	f.at, f.known = d.book.Vector[p.Partition]
	for i := range p.Logs {
		l := &p.Logs[i]
		_, read := d.sites[l.Cluster]
		if read && l.Commit != nil && d.book.Clusters[l.Cluster] != nil {
			d.count(&f, p, l)
		}
	}
	if l := p.at(p.Origin); l != nil && f.known {
		if _, read := d.sites[p.Origin]; read && Dest(f.at) > l.End {
			return frontier{fault: ReasonPastEnd, faultAt: p.Origin}
		}
	}
	return f
}

// count takes one commit into the frontier, or says why not.
func (d *decider) count(f *frontier, p *PartitionView, l *LogView) {
	tp := TopicPartition{Topic: l.Topic, Partition: p.Number}
	switch {
	case l.Commit.Offset > l.End:
		f.fault, f.faultAt = ReasonPastEnd, l.Cluster
		return
	case l.Commit.Offset < d.floor(l, tp):
		f.fault, f.faultAt = ReasonByHand, l.Cluster
		return
	case d.own(l, tp):
		if !f.chosen {
			f.metadata = l.Commit.Metadata
		}
		return
	case l.Map == nil:
		f.fault, f.faultAt = ReasonNoMap, l.Cluster
		return
	}
	a := l.Map.ToSource(l.Commit.Offset)
	if recorded, ok := d.book.Vector[p.Partition]; !ok || a.Offset > recorded {
		d.alive = true
	}
	f.reread = max(f.reread, a.Reread)
	if !f.known || a.Offset >= f.at {
		f.at, f.known, f.chosen, f.metadata = a.Offset, true, true, l.Commit.Metadata
	}
}

// place derives the place at Here from the frontier.
func (d *decider) place(p *PartitionView, f *frontier) Placement {
	out := d.blank(p)
	l := p.at(d.view.Here)
	switch {
	case l == nil || l.Map == nil:
		out.Reason = ReasonNoMap
		return out
	case !f.known && f.fault != "":
		out.Reason, out.Cluster = f.fault, f.faultAt
		return out
	case !f.known:
		out.Reason = ReasonNoCommit
		return out
	}
	a := l.Map.ToDest(f.at)
	out.Offset, out.Metadata, out.How = a.Offset, f.metadata, a.How
	out.Exact, out.Reread = a.Exact && f.reread == 0, a.Reread+f.reread
	out.Reason = d.standing(l, out, f, a)
	if out.Place() {
		out.Reason = d.bounds(p, l, f, a)
	} else if out.Reason == ReasonSame || out.Reason == ReasonNotCovered {
		out.Offset, out.Metadata = l.Commit.Offset, l.Commit.Metadata
		if out.Offset < l.Start {
			out.Reason = ReasonBelowStart
		}
	}
	if f.fault != "" && (out.Reason == ReasonSame || out.Reason == ReasonRewind) {
		out.Reason, out.Cluster = f.fault, f.faultAt
	}
	return out
}

// standing compares the place with the commit at Here: it may only rise, and only over meshd's own or one that the frontier
// has left behind. A place that was exact once stays, though the map was thinned since.
func (d *decider) standing(l *LogView, out Placement, f *frontier, a Answer[Dest]) Reason {
	tp := out.At
	recorded, ok := d.sites[d.view.Here].Custody.Vector[out.Partition]
	switch {
	case l.Commit == nil:
		return d.gone(l, tp)
	case l.Commit.Offset < d.floor(l, tp):
		return ReasonByHand
	case !d.own(l, tp) && f.at <= l.Map.ToSource(l.Commit.Offset).Offset:
		return ReasonSame
	case a.Offset > l.Commit.Offset:
		return ""
	case a.How == HowNotCovered:
		return ReasonNotCovered
	case a.Offset == l.Commit.Offset || (ok && f.at == recorded):
		return ReasonSame
	}
	return ReasonRewind
}

// gone says that there was a commit at Here, and nobody has consumed since it went.
func (d *decider) gone(l *LogView, tp TopicPartition) Reason {
	if d.floor(l, tp) >= 0 && !d.alive {
		return ReasonGone
	}
	return ""
}

// bounds holds a place against the logs: none below the start at Here, none behind the end, and none that passes over records
// which the origin still holds and Here never got.
func (d *decider) bounds(p *PartitionView, l *LogView, f *frontier, a Answer[Dest]) Reason {
	start := l.Map.Start()
	if a.How == HowStart && f.at < start.Src {
		origin := p.at(p.Origin)
		if _, read := d.sites[p.Origin]; origin == nil || !read || Source(origin.Start) < start.Src {
			return ReasonBelowStart
		}
	}
	switch {
	case a.Offset < l.Start:
		return ReasonBelowStart
	case a.Offset > l.End:
		return ReasonPastEnd
	}
	return ""
}

// placedTopics is where at Here meshd has placed the group. Elsewhere a partition without a commit is the group's own affair.
func (d *decider) placedTopics() map[string]bool {
	out := map[string]bool{}
	for tp := range d.book.Places {
		out[tp.Topic] = true
	}
	return out
}

// uncommitted places a partition that the group committed nowhere at the log's start.
func (d *decider) uncommitted(p *PartitionView, out *Placement) {
	l := p.at(d.view.Here)
	if d.view.Uncommitted != UncommittedStart {
		return
	}
	if unread, ok := d.chainRead(); !ok {
		out.Reason, out.Cluster = ReasonUnread, unread
		return
	}
	out.Offset, out.Exact, out.How = l.Start, true, HowStart
	switch {
	case l.Commit == nil:
		out.Reason = d.gone(l, out.At)
	case l.Start > l.Commit.Offset:
		out.Reason = ""
	default:
		out.Reason, out.Offset, out.Metadata = ReasonSame, l.Commit.Offset, l.Commit.Metadata
	}
}

// record makes the record that goes with the places: what they were derived from, and no more.
func (d *decider) record(out []Placement, frontiers []frontier) Decision {
	c, write := d.book, false
	for i := range out {
		if !out[i].Place() {
			continue
		}
		write = true
		p := &d.view.Partitions[i]
		c.Places[out[i].At] = Commit{Offset: out[i].Offset, Metadata: out[i].Metadata}
		c.join(d.view.Here)
		if f := &frontiers[i]; f.known {
			c.Vector[p.Partition] = max(f.at, c.Vector[p.Partition])
		}
		d.seeCommits(p)
	}
	return Decision{Placements: out, Custody: c, Write: write}
}

// seeCommits notes the commits that count, so that a lower one is known to be set by hand.
func (d *decider) seeCommits(p *PartitionView) {
	for i := range p.Logs {
		l := &p.Logs[i]
		tp := TopicPartition{Topic: l.Topic, Partition: p.Number}
		_, read := d.sites[l.Cluster]
		if read && l.Commit != nil && l.Commit.Offset <= l.End && d.book.Clusters[l.Cluster] != nil {
			d.book.see(l.Cluster, tp, l.Commit.Offset)
		}
	}
}
