package flow

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// A topic that was deleted and made again is another topic. Its origin's registry counts them by their ids: who reads a topic there first
// registers it, and what is not in it while others are was made again, and waits until somebody accepts it.

// unlisted is the incarnation of a topic of which the origin's registry says nothing: it is the one that was read before.
const unlisted = -1

const claimAgain = time.Minute // after the right to claim was missing

// incarnate registers the origin's topics that nobody has read before, and those that were made again where that is to be gone on with.
func (r *round) incarnate(ctx context.Context, found map[string][]offer) {
	w := r.way(r.Source)
	if w == nil || w.err != nil || w.Control.Config.ReadOnly { // what may not be written to lists nothing
		return
	}
	var claims []checkpoint.Claim
	for _, name := range slices.Sorted(maps.Keys(found)) {
		c, ok, err := r.claim(ctx, w, name, found[name])
		if w.unclaimed = err; err != nil {
			return
		}
		if ok {
			claims = append(claims, c)
		}
	}
	switch {
	case len(claims) == 0:
		w.unclaimed = nil
	case w.unclaimed == nil || kafka.Classify(w.unclaimed) != kafka.Denied || time.Since(w.claimedAt) > claimAgain:
		w.claimedAt = time.Now()
		w.unclaimed = w.claim(ctx, claims)
	}
}

// claim is what is to be said of a topic, if anything is.
func (r *round) claim(ctx context.Context, w *way, name string, from []offer) (c checkpoint.Claim, ok bool, err error) {
	i := slices.IndexFunc(from, func(o offer) bool { return o.way == w && o.reason.Code == "" })
	if i < 0 {
		return c, false, nil
	}
	all, id := w.theirs.Incarnations(name), from[i].id()
	c = checkpoint.Claim{Topic: name, Incarnation: checkpoint.Incarnation{TopicID: id}}
	switch {
	case id == "" || slices.ContainsFunc(all, func(x checkpoint.Incarnation) bool { return x.TopicID == id }):
		return c, false, nil
	case len(all) == 0:
		c.Incarnation, err = r.before(ctx, name, c.Incarnation)
		return c, err == nil, err
	}
	c.Number = all[len(all)-1].Number + 1
	return c, from[i].settings.OnRecreate == topology.RecreateIncarnation && w.isThere(ctx, name, id), nil
}

// id is the topic's id where it is offered; "" where brokers give none.
func (o offer) id() string {
	if len(o.partitions) == 0 {
		return ""
	}
	return checkpoint.TopicID(o.partitions[0].TopicID)
}

// isThere asks once more: the directory may be older than what others have claimed.
func (w *way) isThere(ctx context.Context, name, id string) bool {
	at, err := w.Control.Locate(ctx, name)
	return err == nil && offer{partitions: at[name]}.id() == id
}

// before is the incarnation of which there are records here already; else it is the present one.
func (r *round) before(ctx context.Context, name string, now checkpoint.Incarnation) (checkpoint.Incarnation, error) {
	all, err := r.progress(ctx, name)
	for _, p := range all {
		if id := checkpoint.TopicID(p.SrcID); id != "" && now.Number <= p.Incarnation {
			now = checkpoint.Incarnation{TopicID: id, Number: p.Incarnation}
		}
	}
	return now, err
}

// progress is that of the partitions of a topic that were copied to here.
func (r *round) progress(ctx context.Context, name string) ([]checkpoint.Progress, error) {
	if r.copied == nil {
		h := checkpoint.NewHoldings(r.dst.Control, r.Source)
		if err := h.RefreshProgress(ctx); err != nil {
			return nil, err
		}
		r.copied = h
	}
	return r.copied.OfTopic(name), nil
}

// claim writes claims to the registry of an origin, which may have none yet.
func (w *way) claim(ctx context.Context, claims []checkpoint.Claim) error {
	if w.theirs.Birth() == "" {
		if err := checkpoint.EnsureOwned(ctx, w.Control, w.brokerCount(), 1, checkpoint.TopicsTopic); err != nil {
			return err
		}
		if err := w.theirs.BeBorn(ctx, checkpoint.NewID()); err != nil {
			return err
		}
	}
	return w.theirs.Claim(ctx, checkpoint.NewID(), claims...)
}

// incarnation is the number of the topic that is read at its origin now, or why it can't be read.
func (r *round) incarnation(ctx context.Context, name string, o offer) (int32, error) {
	if o.way.Alias != r.Source {
		return 0, nil // what is read there says itself of which it is
	}
	all, id := o.way.theirs.Incarnations(name), o.id()
	switch {
	case id == "":
		return unlisted, nil
	case len(all) == 0:
		return unlisted, r.mayRead(ctx, name, o.way)
	case all[len(all)-1].TopicID == id:
		return all[len(all)-1].Number, nil
	case slices.ContainsFunc(all, func(x checkpoint.Incarnation) bool { return x.TopicID == id }):
		o.way.Dir.Stale()
		return 0, kafka.Because(kafka.SourceRecreated, fmt.Sprintf("topic %s was deleted and made again, but its brokers still tell of the one before", name), "this passes by itself; if it does not, restart the source's brokers that lag behind")
	}
	return 0, recreated(name, r.Source)
}

// mayRead says whether a topic may be read that could not be registered. Without the right to do so, and of what was copied before, it is
// told by the id that was read before.
func (r *round) mayRead(ctx context.Context, name string, w *way) error {
	if w.unclaimed == nil || kafka.Classify(w.unclaimed) == kafka.Denied {
		return nil
	}
	if before, err := r.progress(ctx, name); err != nil || len(before) > 0 {
		return err
	}
	return fmt.Errorf("registering topic %s at cluster %s: %w", name, r.Source, w.unclaimed)
}

func recreated(topic string, origin topology.Alias) kafka.Reason {
	return kafka.Because(kafka.SourceRecreated, fmt.Sprintf("topic %s was deleted and made again at %s", topic, origin),
		fmt.Sprintf("what arrived stays; meshd accept %s --at %s --topology FILE goes on with the new one behind it, as on_recreate: new_incarnation does by itself; or exclude it from the link", topic, origin))
}
