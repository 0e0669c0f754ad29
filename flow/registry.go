package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// registry is a destination's registry of writers, read once for all shards that want to know at the same time.
type registry struct {
	turn  chan struct{} // whose it is may use what follows
	table *checkpoint.Writers
	began time.Time // of the last reading
	err   error     // of the last reading
	loss  atomic.Pointer[kafka.Reason]

	mu      sync.Mutex
	holders map[topology.Shard]checkpoint.Registration // as of the last reading
}

func newRegistry(c *kafka.Cluster) *registry {
	return &registry{turn: make(chan struct{}, 1), table: checkpoint.NewWriters(c)}
}

// lost is why nothing can be written at the destination any more; nil while its registry is whole, as far as it was read.
func (r *registry) lost() error {
	if loss := r.loss.Load(); loss != nil {
		return *loss
	}
	return nil
}

// check reads what was registered before the call.
func (r *registry) check(ctx context.Context) error {
	_, _, err := r.last(ctx, topology.Shard{})
	return err
}

// last returns the last registration of a shard.
func (r *registry) last(ctx context.Context, s topology.Shard) (checkpoint.Registration, bool, error) {
	asked := time.Now()
	select {
	case r.turn <- struct{}{}:
	case <-ctx.Done():
		return checkpoint.Registration{}, false, context.Cause(ctx)
	}
	defer func() { <-r.turn }()
	if !r.began.After(asked) {
		r.read(ctx)
	}
	at, ok := r.known(s)
	return at, ok, r.err
}

// known is last without reading anew.
func (r *registry) known(s topology.Shard) (checkpoint.Registration, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, ok := r.holders[s]
	return at, ok
}

// origin is the cluster id of an origin whose records come to a destination, as its writers registered it last; "" if none did.
func (r *registry) origin(p topology.Pair) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	id, seq := "", int64(-1)
	for s, h := range r.holders {
		if s.Origin == p.Source && s.Destination == p.Destination && h.Seq > seq {
			id, seq = h.OriginID, h.Seq
		}
	}
	return id
}

// clusters tells which cluster each alias stood for when its writers registered.
func (r *registry) clusters(tell func(topology.Alias, string)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range r.holders {
		tell(h.Origin, h.OriginID)
	}
}

// ids are the producer ids that were ever registered for a shard.
func (r *registry) ids(ctx context.Context, s topology.Shard) (map[int64]bool, error) {
	err := r.check(ctx)
	if err != nil {
		return nil, err
	}
	all, err := r.had(ctx, s)
	out := make(map[int64]bool, len(all))
	for _, id := range all {
		out[id.ID] = true
	}
	return out, err
}

// had is ids without reading anew, each with the epoch in which it was registered last; what was registered last comes first.
func (r *registry) had(ctx context.Context, s topology.Shard) (ids []kafka.ProducerID, err error) {
	select {
	case r.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-r.turn }()
	at := map[int64]int64{}
	for id, w := range r.table.IDs() {
		if w.Origin == s.Origin && w.Shard == s.Number {
			ids, at[id] = append(ids, kafka.ProducerID{ID: id, Epoch: w.Epoch}), w.At
		}
	}
	slices.SortFunc(ids, func(a, b kafka.ProducerID) int {
		return cmp.Or(cmp.Compare(at[b.ID], at[a.ID]), cmp.Compare(b.ID, a.ID))
	})
	return ids, nil
}

func (r *registry) read(ctx context.Context) {
	r.began = time.Now()
	r.err = r.table.Refresh(ctx)
	r.mu.Lock()
	r.holders = maps.Clone(r.table.Holders())
	r.mu.Unlock()
	switch {
	case r.err == nil:
		r.loss.Store(nil)
	case r.heard(r.err):
	case ctx.Err() != nil: // who asked has gone; the others ask for themselves
		r.began = time.Time{}
	}
}

// heard takes note if an error says that the registry is lost, whoever met it, until it is read without one.
func (r *registry) heard(err error) bool {
	reason, ok := errors.AsType[kafka.Reason](err)
	if ok = ok && reason.Code == kafka.RegistryLost; ok {
		r.loss.Store(&reason)
	}
	return ok
}

// Held.Over, where it is not the Seq of a registration.
const (
	None = -1 // the shard has no registration yet
	Any  = -2 // nobody tells: whoever is registered, the shard is taken over, once
)

// takenError says that a shard may not be opened: the last who registered is not whom the holding goes past.
type takenError struct {
	last   checkpoint.Registration
	there  bool // somebody is registered
	before told // by which it was decided
}

func (e *takenError) Error() string {
	if !e.there {
		return fmt.Sprintf("nobody is registered as its writer, but this node was told of registration %d: it waits until it is told anew", e.before.over)
	}
	return fmt.Sprintf("node %s registered as its writer after what this node was told of: it waits until it is told anew", e.last.Node)
}

// twinError says that another process with this node's name took a shard from this one.
type twinError struct{ last checkpoint.Registration }

func (e *twinError) Error() string {
	return "another process that runs as node " + e.last.Node + " took it over"
}

// ousted says so if somebody registered after this life, as far as was read. What writes nothing meets no fence.
func (l *life) ousted() error {
	last, there := l.dst.Writers.known(l.shard.id)
	if there && !l.mine(last) && last.Seq > l.seq { // only this goroutine sets seq
		return fmt.Errorf("node %s registered after it: %w", last.Node, kerr.ProducerFenced)
	}
	return nil
}

// mine says whether a registration is this shard's own: of what it claimed last or, where an earlier one arrived late, before that.
func (s *shard) mine(r checkpoint.Registration) bool {
	return r.Node == s.env.node && r.ID.ID == s.claim.ID && r.ID.Epoch <= s.claim.Epoch
}

// mayOpen says whether the shard may be taken over now. The answer may be out of date at once, but then the fence decides.
func (s *shard) mayOpen(ctx context.Context) error {
	last, there, err := s.dst.Writers.last(ctx, s.id)
	if err != nil {
		return err
	}
	s.mu.Lock()
	now, own := s.told, s.seq
	s.mu.Unlock()
	switch {
	case there && s.mine(last), now.over == Any && own < 0, !there && now.over == None:
		return nil
	case there && last.Seq == now.over:
		if own >= 0 && last.Seq > own && last.Node == s.env.node && last.Seq != s.twin {
			return &twinError{last}
		}
		return nil
	}
	return &takenError{last, there, now}
}
