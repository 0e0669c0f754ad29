package groupsync

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/checkpoint/groups"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/offsetxlate"
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

	separate map[string]int // rounds in which a group looked separate
	apart    []*groups.Record

	mu     sync.Mutex
	status Status
}

// New makes a syncer. It reads and writes nothing yet.
func New(cfg Config) *Syncer {
	s := &Syncer{cfg: cfg, home: newView(cfg.Home), separate: map[string]int{}, status: Status{Home: cfg.Home.Alias}}
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
	r, wanted, err := s.read(ctx)
	if err != nil {
		return err
	}
	var placements []groups.Placement
	status := make([]GroupStatus, 0, len(wanted))
	for _, g := range wanted {
		d := offsetxlate.Decide(r.look(g, s.uncommitted()))
		status = append(status, statusOf(r, g, d))
		p, err := s.placement(r, g, d)
		if err != nil {
			return err
		}
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
		if err := s.cps.write(ctx, len(s.home.Cluster.Client.DiscoveredBrokers()), p, wanted); err != nil {
			return fmt.Errorf("writing checkpoints of %s: %w", p.Alias, err)
		}
	}
	return nil
}

// read reads every cluster, in the order that offsetxlate.GroupView asks for: what is newer must not look older. Names and maps
// are read once more after the commits, so that they cover them.
func (s *Syncer) read(ctx context.Context) (*round, []string, error) {
	r := &round{home: s.home, views: append([]*view{s.home}, s.peers...)}
	each(r.views, func(v *view) { v.list(ctx) })
	wanted := s.wanted()
	each(r.views, func(v *view) { v.read(ctx, wanted) })
	each(r.views, func(v *view) { v.again(ctx) })
	ps := map[*view][]kafka.Partition{} // before any of them is measured: what is wanted of one hangs on the others
	for _, v := range r.views {
		ps[v] = r.wants(v, wanted)
	}
	each(r.views, func(v *view) { v.measure(ctx, ps[v]) })
	each(r.views, func(v *view) { v.readCustody(ctx) })
	return r, wanted, s.home.err
}

func each(vs []*view, do func(*view)) {
	var wg sync.WaitGroup
	for _, v := range vs {
		wg.Go(func() { do(v) })
	}
	wg.Wait()
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

// For how many rounds a group must look separate before that is written down for good. A commit of meshd's can be seen a moment before
// its custody; and a consumer that was killed stays a member until its session ends, while another one starts elsewhere.
const (
	separateAfter = 5
	twoSitesAfter = 180
)

func patience(d offsetxlate.Decision) int {
	for _, p := range d.Placements {
		if p.Reason == offsetxlate.ReasonTwoSites {
			return twoSitesAfter
		}
	}
	return separateAfter
}

// placement is what is to be committed for a group; nil for nothing.
func (s *Syncer) placement(r *round, group string, d offsetxlate.Decision) (*groups.Placement, error) {
	if !d.Custody.Separate {
		delete(s.separate, group)
	}
	if !d.Write {
		return nil, nil //nolint:nilnil // nothing to place is no error
	}
	value, err := d.Custody.Encode()
	if err != nil {
		return nil, fmt.Errorf("encoding the custody of group %s: %w", group, err)
	}
	record := &groups.Record{Key: []byte(group), Value: value}
	if d.Custody.Separate {
		if s.separate[group]++; s.separate[group] < patience(d) {
			return nil, nil //nolint:nilnil // wait and see
		}
		s.apart = append(s.apart, record)
		return nil, nil //nolint:nilnil // written by itself: there is no place to go with it
	}
	out := &groups.Placement{Group: group, Record: record}
	for _, p := range d.Placements {
		if p.Place() {
			at := groups.Partition{Topic: p.At.Topic, Number: p.At.Partition}
			out.Places = append(out.Places, groups.Place{Partition: at, Before: r.home.commitOf(group, at), Offset: int64(p.Offset), Metadata: p.Metadata})
		}
	}
	return out, nil
}

func (v *view) commitOf(group string, p groups.Partition) groups.Commit {
	if c, ok := v.commits[group].Commits[p]; ok {
		return c
	}
	return groups.NoCommit
}

func (s *Syncer) uncommitted() offsetxlate.Uncommitted {
	for _, p := range s.peers {
		if p.Link.Groups.Uncommitted == string(offsetxlate.UncommittedLeave) {
			return offsetxlate.UncommittedLeave
		}
	}
	return offsetxlate.UncommittedStart
}

// place sets what was decided, slot by slot: each has a transactional id of its own, so that a second syncer is shut out.
func (s *Syncer) place(ctx context.Context, all []groups.Placement) ([]groups.Result, error) {
	bySlot := map[int][]groups.Placement{}
	for _, p := range all {
		n := groups.Slot(p.Group)
		bySlot[n] = append(bySlot[n], p)
	}
	if err := s.setApart(ctx); err != nil {
		return nil, err
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

// setApart writes down which groups are separate.
func (s *Syncer) setApart(ctx context.Context) error {
	var rs []*kgo.Record
	for _, r := range s.apart {
		rs = append(rs, &kgo.Record{Topic: checkpoint.GroupsTopic, Key: r.Key, Value: r.Value})
	}
	s.apart = nil
	if len(rs) == 0 {
		return nil
	}
	return checkpoint.Append(ctx, s.home.Cluster, rs...)
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
