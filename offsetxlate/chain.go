package offsetxlate

import "github.com/meshd/meshd/topology"

// decider holds what one decision is made from.
type decider struct {
	view  GroupView
	sites map[topology.Alias]Site
	book  Custody // what all records together say of the chain, with the places of Here
	alive bool    // somebody consumes: as a member elsewhere, or by a commit beyond what was recorded
}

func newDecider(v GroupView) *decider {
	d := &decider{view: v, sites: map[topology.Alias]Site{}}
	for _, s := range v.Sites {
		if !s.Unread {
			d.sites[s.Cluster] = s
		}
	}
	d.book = d.sites[v.Here].Custody.Clone()
	for _, s := range d.sites {
		d.book.merge(s.Custody)
	}
	return d
}

// veto is the reason, if there is one, for which the group is not placed at Here at all.
func (d *decider) veto() (Reason, topology.Alias) {
	here, read := d.sites[d.view.Here]
	if !read {
		return ReasonUnread, d.view.Here
	}
	for _, s := range d.view.Sites {
		if !s.Unread && (s.Type == "share" || s.Protocol == "connect") {
			return ReasonType, s.Cluster
		}
	}
	if d.book.Separate {
		return ReasonSeparate, d.view.Here
	}
	if reason, at := d.chain(); reason != "" {
		return reason, at
	}
	if here.State.members() {
		return ReasonMembers, d.view.Here
	}
	return "", ""
}

// chain begins the chain of custody or finds it whole. It begins with the only cluster that has a commit, once every other was
// read. A commit outside, or members in two places, make the group separate.
func (d *decider) chain() (Reason, topology.Alias) {
	var active, committed []topology.Alias
	unread := topology.Alias("")
	for _, s := range d.view.Sites {
		switch {
		case s.Unread:
			unread = s.Cluster
			continue
		case s.State.members():
			active = append(active, s.Cluster)
		}
		if d.commits(s.Cluster) {
			committed = append(committed, s.Cluster)
		}
	}
	if len(active) > 1 {
		return d.separate(ReasonTwoSites, active[1])
	}
	if len(d.book.Clusters) > 0 {
		for _, alias := range committed {
			if d.book.Clusters[alias] == nil {
				return d.separate(ReasonSeparate, alias)
			}
		}
		if _, read := d.chainRead(); read && len(committed) == 0 {
			return ReasonGone, d.view.Here
		}
		return "", ""
	}
	switch {
	case len(committed) > 1:
		return d.separate(ReasonSeparate, committed[1])
	case len(committed) == 0:
		return ReasonNoCommit, d.view.Here
	case unread != "":
		return ReasonUnread, unread
	}
	d.book.join(committed[0])
	return "", ""
}

func (d *decider) separate(reason Reason, at topology.Alias) (Reason, topology.Alias) {
	d.book.Separate = true
	return reason, at
}

// commits says whether the group has any commit at a cluster.
func (d *decider) commits(alias topology.Alias) bool {
	for i := range d.view.Partitions {
		if l := d.view.Partitions[i].at(alias); l != nil && l.Commit != nil {
			return true
		}
	}
	return false
}

// membersElsewhere says whether the group runs at another cluster of the chain.
func (d *decider) membersElsewhere() bool {
	for alias, s := range d.sites {
		if alias != d.view.Here && s.State.members() && d.book.Clusters[alias] != nil {
			return true
		}
	}
	return false
}

// chainRead says whether every cluster of the chain was read.
func (d *decider) chainRead() (topology.Alias, bool) {
	for _, s := range d.view.Sites {
		if s.Unread && d.book.Clusters[s.Cluster] != nil {
			return s.Cluster, false
		}
	}
	return "", true
}

// at is the log of the partition at a cluster, or nil.
func (p *PartitionView) at(alias topology.Alias) *LogView {
	for i := range p.Logs {
		if p.Logs[i].Cluster == alias {
			return &p.Logs[i]
		}
	}
	return nil
}

// floor is the place below which a commit was set by hand: meshd's last place there, or a commit that was counted before. Without
// either it is -1.
func (d *decider) floor(l *LogView, tp TopicPartition) Dest {
	low := Dest(-1)
	if place, ok := d.sites[l.Cluster].Custody.Places[tp]; ok {
		low = place.Offset
	}
	if seen, ok := d.book.Clusters[l.Cluster][tp]; ok {
		low = max(low, seen)
	}
	return low
}

// own says whether the commit is the one that meshd placed there last. It is in the vector, and says no more than that.
func (d *decider) own(l *LogView, tp TopicPartition) bool {
	place, ok := d.sites[l.Cluster].Custody.Places[tp]
	return ok && l.Commit != nil && *l.Commit == place
}
