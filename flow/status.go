package flow

import (
	"slices"
	"strings"
	"time"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// Status is a snapshot of everything that a node copies.
type Status struct {
	Clusters []ClusterStatus `json:"clusters"`
	Pairs    []PairStatus    `json:"pairs"`
	Memory   int64           `json:"bytes_in_flight"`
}

// ClusterStatus says whether a cluster answers this node.
type ClusterStatus struct {
	Alias topology.Alias `json:"alias"`
	ID    string         `json:"id,omitempty"`
	Code  string         `json:"code,omitempty"` // of the reason why it does not answer
	Error string         `json:"error,omitempty"`
	Hint  string         `json:"hint,omitempty"`
}

// PairStatus is one direction of a link.
type PairStatus struct {
	Source      topology.Alias `json:"source"`
	Destination topology.Alias `json:"destination"`
	Ready       bool           `json:"ready"` // its topics have been looked at
	Reason      *kafka.Reason  `json:"reason,omitempty"`
	Topics      []TopicStatus  `json:"topics"`
	Shards      []ShardStatus  `json:"shards"`
	Partitions  []PartStatus   `json:"partitions"`
	Throttled   time.Duration  `json:"throttled"` // how long limit.bytes_per_second has held reading back
}

// ShardStatus is one shard that has partitions.
type ShardStatus struct {
	Number int           `json:"number"`
	State  State         `json:"state"`
	Reason *kafka.Reason `json:"reason,omitempty"`
	Writer string        `json:"writer,omitempty"` // producer id/epoch
	Epoch  uint64        `json:"assignment_epoch"`
	// Warnings are what does not stop it, and is to be known: at_least_once, predecessor_unfenced.
	Warnings []kafka.Reason `json:"warnings,omitempty"`
}

// PartStatus is one partition.
type PartStatus struct {
	Topic       string         `json:"topic"`
	Partition   int32          `json:"partition"`
	Remote      string         `json:"remote"`
	From        topology.Alias `json:"from"` // the cluster that it is read at: the origin, or another one that has its records
	Shard       int            `json:"shard"`
	State       State          `json:"state"`
	Reason      *kafka.Reason  `json:"reason,omitempty"`
	Next        int64          `json:"next"`        // next offset of the origin to be acknowledged at the destination
	Read        int64          `json:"read"`        // offset in the log that is read, below which all is acknowledged; Next where that is the origin's
	Dest        int64          `json:"destination"` // next destination offset
	End         int64          `json:"source_end"`  // of the log that is read
	Lag         int64          `json:"lag"`         // offsets of the log that is read, between Read and its last stable offset; -1 while unknown
	Behind      time.Duration  `json:"behind"`
	MapBytes    int            `json:"map_bytes"`
	Incarnation int32          `json:"incarnation"`   // of the topic at its origin: how often it was made again, and that accepted
	Broker      int32          `json:"source_broker"` // that it is read from; -1: none yet
	Stats       Stats          `json:"stats"`
	// Warnings are what does not stop it, and is to be known: fence_weak, foreign_writes.
	Warnings []kafka.Reason `json:"warnings,omitempty"`
}

// Status takes a snapshot.
func (m *Manager) Status() Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	var s Status
	for _, site := range m.sites {
		s.Clusters = append(s.Clusters, site.status())
	}
	for a, err := range m.closed {
		c := ClusterStatus{Alias: a}
		c.Because(err)
		s.Clusters = append(s.Clusters, c)
	}
	for _, p := range m.flows {
		s.Pairs = append(s.Pairs, p.status())
	}
	if m.budget != nil {
		s.Memory = m.budget.Used()
	}
	slices.SortFunc(s.Clusters, func(a, b ClusterStatus) int { return strings.Compare(string(a.Alias), string(b.Alias)) })
	slices.SortFunc(s.Pairs, func(a, b PairStatus) int {
		return strings.Compare(string(a.Source+">"+a.Destination), string(b.Source+">"+b.Destination))
	})
	return s
}

func (s *Site) status() ClusterStatus {
	c := ClusterStatus{Alias: s.Alias, ID: s.ID()}
	err := s.Trouble()
	if err == nil {
		err = s.Dir.Err()
	}
	c.Because(err)
	return c
}

// Because says why the cluster can't be used; nothing if err is nil.
func (c *ClusterStatus) Because(err error) {
	if err != nil {
		r := kafka.Explain(err, kafka.ClusterUnreachable)
		c.Code, c.Error, c.Hint = r.Code, r.Text, r.Hint
	}
}

func (p *inflow) status() PairStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := PairStatus{Source: p.Source, Destination: p.Destination, Ready: p.ready, Reason: some(p.reason)}
	for _, t := range p.topics {
		s.Topics = append(s.Topics, t)
	}
	s.Partitions = make([]PartStatus, 0, p.seen)
	for _, r := range p.shards {
		var sh ShardStatus
		if sh, s.Partitions = r.status(s.Partitions); sh.State != New {
			s.Shards = append(s.Shards, sh)
		}
	}
	p.seen = len(s.Partitions)
	for _, l := range p.limits {
		s.Throttled += l.Waited()
	}
	slices.SortFunc(s.Topics, func(a, b TopicStatus) int { return strings.Compare(a.Topic, b.Topic) })
	slices.SortFunc(s.Shards, func(a, b ShardStatus) int { return a.Number - b.Number })
	slices.SortFunc(s.Partitions, func(a, b PartStatus) int {
		if c := strings.Compare(a.Topic, b.Topic); c != 0 {
			return c
		}
		return int(a.Partition - b.Partition)
	})
	return s
}

func some(r kafka.Reason) *kafka.Reason {
	if r.Code == "" {
		return nil
	}
	return &r
}

// status appends every partition that the shard is to copy, also those that are not open.
func (s *shard) status(parts []PartStatus) (ShardStatus, []PartStatus) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := ShardStatus{Number: s.id.Number, State: s.state, Reason: some(s.reason), Epoch: s.told.epoch, Warnings: s.lesser}
	if s.writer.ID > 0 || s.writer.Epoch > 0 {
		st.Writer = s.writer.String()
	}
	before := len(parts)
	for key, spec := range s.want {
		if p := s.parts[key]; p != nil {
			st := p.status()
			st.Broker = p.src.Fetcher.broker(p)
			parts = append(parts, st)
			continue
		}
		parts = append(parts, PartStatus{
			Topic: spec.Topic, Partition: spec.Number, Remote: spec.Remote, From: spec.Source, State: Opening, Reason: s.whyNot(key), Lag: -1, Broker: -1, Incarnation: max(0, spec.Incarnation),
		})
	}
	for i := range parts[before:] {
		parts[before+i].Shard = s.id.Number
	}
	return st, parts
}

func (s *shard) whyNot(key string) *kafka.Reason {
	if r, ok := s.blocked[key]; ok {
		return &r
	}
	return some(s.reason)
}

func (p *part) status() PartStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	st := PartStatus{
		Topic: p.Topic, Partition: p.Number, Remote: p.Remote, From: p.Source, State: p.state, Reason: some(p.reason), Next: int64(p.prog.SourceOf(p.written)),
		Dest: int64(p.dest), End: p.stats.SourceEnd, Lag: -1, MapBytes: p.xlate.Size(), Incarnation: p.prog.Incarnation, Stats: p.stats, Warnings: p.warnings(),
	}
	st.Read = st.Next
	if p.hub() {
		st.Read = int64(p.passed.next)
	}
	st.Stats.Ruled = p.sieve.ruled()
	if st.Stats.SeenAt = p.seenAt(); !st.Stats.SeenAt.IsZero() && p.at != nowhere {
		st.Lag = max(0, p.stats.SourceStable-st.Read)
	}
	if since, err := p.outlet.Trouble(); err != nil {
		st.State, st.Behind = Backoff, time.Since(since)
		st.Reason = new(kafka.Explain(err, kafka.DestinationUnreachable))
	}
	return st
}
