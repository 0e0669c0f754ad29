package groupsync

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/checkpoint/groups"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// Config is what a Syncer needs.
type Config struct {
	Mesh  string
	Home  Member
	Peers []Member
	Every time.Duration
	Log   *slog.Logger
}

// Syncer places groups at one cluster. One goroutine runs it; Status may be asked from any.
type Syncer struct {
	cfg     Config
	home    *view
	peers   []*view
	placers [groups.Slots]*groups.Placer
	cps     *checkpoints
	brokers int

	mu     sync.Mutex
	status Status
}

// Status is what the last rounds found.
type Status struct {
	Home   topology.Alias `json:"home"`
	At     time.Time      `json:"at"` // of the last round that succeeded; zero: none
	Error  string         `json:"error,omitempty"`
	Groups []GroupStatus  `json:"groups"`
}

// GroupStatus is one group at the home.
type GroupStatus struct {
	Group      string           `json:"group"`
	Home       topology.Alias   `json:"home"`
	Active     []topology.Alias `json:"active,omitempty"` // clusters where it has members
	Chain      []topology.Alias `json:"chain,omitempty"`
	Why        string           `json:"why,omitempty"` // the whole group is left alone
	Hint       string           `json:"hint,omitempty"`
	Reread     int64            `json:"reread"` // consumed records that it would see again here
	Partitions []PartStatus     `json:"partitions"`
}

// New makes a syncer. It reads and writes nothing yet.
func New(cfg Config) *Syncer {
	s := &Syncer{cfg: cfg, home: newView(cfg.Home), status: Status{Home: cfg.Home.Alias}}
	for _, p := range cfg.Peers {
		s.peers = append(s.peers, newView(p))
	}
	s.cps = newCheckpoints(s.home)
	return s
}

// Run syncs until ctx ends. A round that fails is told in Status, and the next one begins from what is there then.
func (s *Syncer) Run(ctx context.Context) {
	for kafka.Sleep(ctx, s.cfg.Every) == nil {
		err := s.Step(ctx)
		if ctx.Err() != nil {
			return
		}
		s.mu.Lock()
		was := s.status.Error
		if s.status.Error = ""; err != nil {
			s.status.Error = err.Error()
		}
		changed := was != s.status.Error
		s.mu.Unlock()
		if changed {
			s.cfg.Log.Info("group sync changed", slog.String("cluster", string(s.cfg.Home.Alias)), slog.Any("error", err))
		}
	}
}

// Status is a snapshot.
func (s *Syncer) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.status
	st.Groups = slices.Clone(st.Groups)
	return st
}

// Step does one round: read all, decide, place, write checkpoints.
func (s *Syncer) Step(ctx context.Context) error {
	r, wanted, complete, err := s.read(ctx)
	if err != nil {
		return err
	}
	var placements []groups.Placement
	var status []GroupStatus
	for _, g := range wanted {
		st, p, err := s.decide(r, g, complete)
		if err != nil {
			return err
		}
		status = append(status, st)
		if p != nil {
			placements = append(placements, *p)
		}
	}
	results, err := s.place(ctx, placements)
	s.publish(status, results, err)
	if err != nil {
		return err
	}
	for _, p := range s.peers {
		if err := s.cps.write(ctx, s.brokers, p, wanted); err != nil {
			return fmt.Errorf("writing checkpoints of %s: %w", p.Alias, err)
		}
	}
	return nil
}

// read reads every cluster: names and maps first, then groups and commits, and custody last, for a commit of meshd's is never there
// without its custody for long.
func (s *Syncer) read(ctx context.Context) (r *round, wanted []string, complete bool, err error) {
	all := append([]*view{s.home}, s.peers...)
	each(all, func(v *view) { v.list(ctx) })
	if s.home.err != nil {
		return nil, nil, false, s.home.err
	}
	wanted = s.wanted()
	each(all, func(v *view) { v.read(ctx, wanted) })
	each(all, func(v *view) { v.readCustody(ctx) })
	if s.home.err != nil {
		return nil, nil, false, s.home.err
	}
	r = &round{home: s.home, views: map[topology.Alias]*view{}, counts: map[string]int{}}
	complete = true
	for _, v := range all {
		if v.err != nil {
			complete = false
			continue
		}
		r.views[v.Alias] = v
	}
	return r, wanted, complete, s.countPartitions(ctx, r)
}

func each(vs []*view, do func(*view)) {
	var wg sync.WaitGroup
	for _, v := range vs {
		wg.Go(func() { do(v) })
	}
	wg.Wait()
}

func (s *Syncer) countPartitions(ctx context.Context, r *round) error {
	md, err := s.home.Cluster.Admin.Metadata(ctx)
	if err != nil {
		return fmt.Errorf("reading metadata of %s: %w", s.home.Alias, err)
	}
	s.brokers = len(md.Brokers)
	for name, t := range md.Topics {
		r.counts[name] = len(t.Partitions)
	}
	return nil
}

// wanted are the groups that any link moves here, seen anywhere.
func (s *Syncer) wanted() []string {
	names := map[string]bool{}
	for _, p := range s.peers {
		for _, v := range []*view{p, s.home} {
			if v.err != nil {
				continue
			}
			for name := range v.listing.Groups {
				if p.Link.Settings.SyncGroups && p.Link.Group(name) {
					names[name] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// movable says whether groups of this type are moved: a commit would squat on the name of a share or connect group.
func movable(g groups.Group) bool {
	return g.Type != "share" && g.ProtocolType != "connect" && g.ProtocolType != "share"
}

func (s *Syncer) decide(r *round, group string, complete bool) (GroupStatus, *groups.Placement, error) {
	st := GroupStatus{Group: group, Home: s.home.Alias}
	sub := &subject{group: group, home: s.home.Alias, at: map[topology.Alias]*sight{}, where: r, fill: s.fills(), start: s.startOf(r)}
	for a, v := range r.views {
		g := v.listing.Groups[group]
		c := v.commits[group]
		if !movable(g) {
			st.Why = whyOtherType
			return st, nil, nil
		}
		if c.Err != nil || len(c.Failed) > 0 {
			complete = false
			st.Hint = fmt.Sprintf("cluster %s: %v", a, errors.Join(c.Err, firstOf(c.Failed)))
			if a == s.home.Alias {
				st.Why = whyUnread
				return st, nil, nil
			}
			continue
		}
		if g.Active() {
			st.Active = append(st.Active, a)
		}
		sub.at[a] = &sight{active: g.Active(), state: g.State, commits: c.Commits, custody: v.custodyOf(group)}
	}
	slices.Sort(st.Active)
	d := sub.decide(complete)
	st.Why, st.Partitions, st.Chain = d.why, d.parts, d.custody.Chain
	for _, p := range d.parts {
		st.Reread += p.Reread
	}
	if len(d.places) == 0 {
		return st, nil, nil
	}
	value, err := json.Marshal(d.custody)
	if err != nil {
		return st, nil, fmt.Errorf("encoding the custody of group %s: %w", group, err)
	}
	return st, &groups.Placement{Group: group, Places: d.places, Record: &groups.Record{Key: []byte(group), Value: value}}, nil
}

func firstOf(failed map[groups.Partition]error) error {
	for p, err := range failed {
		return fmt.Errorf("%s: %w", p, err)
	}
	return nil
}

func (s *Syncer) fills() bool {
	for _, p := range s.peers {
		if p.Link.Groups.Uncommitted != "leave" {
			return true
		}
	}
	return false
}

// startOf asks for log starts as they are needed: that is seldom, for a partition is filled once.
func (s *Syncer) startOf(r *round) func(groups.Partition) (int64, bool) {
	return func(p groups.Partition) (int64, bool) {
		ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
		defer cancel()
		at, err := s.home.Cluster.Offsets(ctx, []kafka.Partition{{Topic: p.Topic, Number: p.Number}}, kafka.Start)
		if err != nil || at[0].Err != nil {
			return 0, false
		}
		return at[0].At, true
	}
}

// place sets what was decided, slot by slot: each has a transactional id of its own, so that a second syncer is shut out.
func (s *Syncer) place(ctx context.Context, all []groups.Placement) ([]groups.Result, error) {
	bySlot := map[int][]groups.Placement{}
	for _, p := range all {
		n := groups.Slot(p.Group)
		bySlot[n] = append(bySlot[n], p)
	}
	var out []groups.Result
	for n, ps := range bySlot {
		results, err := s.placeSlot(ctx, n, ps)
		out = append(out, results...)
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

func (s *Syncer) placeSlot(ctx context.Context, n int, ps []groups.Placement) ([]groups.Result, error) {
	if s.placers[n] == nil {
		p, err := s.home.groups.OpenPlacer(ctx, groups.TransactionalID(s.cfg.Mesh, n), checkpoint.GroupsTopic)
		if errors.Is(err, groups.ErrNoTransactions) {
			return s.home.groups.PlacePlain(ctx, ps), nil
		}
		if err != nil {
			return nil, err
		}
		s.placers[n] = p
	}
	results, err := s.placers[n].Place(ctx, ps)
	if errors.Is(err, groups.ErrFenced) {
		s.placers[n] = nil
	}
	return results, err
}

// publish makes the status of the round.
func (s *Syncer) publish(status []GroupStatus, results []groups.Result, err error) {
	at := map[string]groups.Result{}
	for _, r := range results {
		at[r.Group] = r
	}
	for i := range status {
		r, ok := at[status[i].Group]
		if ok && r.Outcome != groups.Placed {
			status[i].Why, status[i].Hint = r.Outcome.String(), r.Hint
			if r.Err != nil {
				status[i].Why += ": " + r.Err.Error()
			}
		}
		if ok && r.Outcome == groups.Placed {
			s.cfg.Log.Debug("group placed", slog.String("group", r.Group))
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.Groups = status
	if err == nil {
		s.status.At = time.Now()
	}
}
