package flow

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/kafka/batch"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/topology"
)

// places says of a part's source, which is an origin itself, where the writers of other origins wrote there (loop.Map). A batch of no
// registered writer with a header of this very log is an application's copy, or the original of a writer whose registration is lost. It is
// the part's sieve's, and knows nothing until such a header was met.
type places struct {
	known map[loop.ClusterID]noted
	asked []byte             // the cluster of which it could not say; empty: none
	seen  checkpoint.Written // what was noted where the last one was found that a writer wrote
	untold
}

// untold is a place of which what is noted does not tell who wrote there, though it was read behind the batch. The next save of a writer may
// tell it; a writer that is slow, or stands still, proves nothing.
type untold struct {
	again bool // what is asked for was read, and is to be read once more
	at    int64
	since time.Time
	noted checkpoint.Written
}

const (
	untoldAgain = time.Second
	untoldSaid  = 5 * time.Second // after which the wait has a reason
)

// wait notes that a place is still untold.
func (u *untold) wait(at int64, noted checkpoint.Written) {
	if u.at != at || u.since.IsZero() {
		u.at, u.since = at, time.Now()
	}
	u.again, u.noted = true, noted
}

// long says whether what is asked for is waited for so long that it is said.
func (u *untold) long() bool { return u.again && time.Since(u.since) > untoldSaid }

// askPlaces has read what was noted where a record lies, and says whether the part stands still for that.
func (p *part) askPlaces() (stands bool) {
	if stands = p.sieve.places.long(); stands {
		p.stop(Backoff, untoldReason(p.Source, p.sieve.places.untold))
	}
	p.owner.needPlaces(p)
	return stands
}

// noted is what a source's writers of one origin noted, as of a reading that began at a tick: one for each alias that the origin may have.
type noted struct {
	written []checkpoint.Written
	asOf    loop.Tick
}

// Place implements loop.Map.
func (p *places) Place(b loop.Batch, h loop.Header, offset int64) loop.Place {
	n := p.known[loop.ClusterID(h.Cluster)]
	fresh := n.asOf > b.Fetched
	out := loop.Elsewhere
	if !fresh && len(n.written) == 0 {
		out = loop.NotCovered
	}
	for _, w := range n.written {
		switch w.Place(b, h.At, offset, fresh) {
		case loop.Here:
			p.seen = w
			return loop.Here
		case loop.NotCovered:
			if out = loop.NotCovered; fresh {
				p.wait(offset, w)
			}
		case loop.Elsewhere:
		}
	}
	if out == loop.NotCovered {
		p.asked = append(p.asked[:0], h.Cluster...)
	}
	return out
}

// byApplication says whether a batch in a copy, which no registered writer wrote, is an application's: it is not where the map that is kept
// there says that the origin's writer wrote.
func (s *sieve) byApplication(b batch.Batch, fetched loop.Tick) error {
	of := batchOf(b, s.first(b, fetched))
	switch s.places.Place(of, loop.Header{Cluster: []byte(s.originID), At: loop.Infinite}, of.First) {
	case loop.Here:
		return &ruledError{Ruling: loop.Ruling{Act: loop.Stop, Why: loop.LostRegistry}, at: of.First}
	case loop.NotCovered:
		return &ruledError{Ruling: loop.Ruling{Act: loop.Wait, Why: loop.Uncovered}, at: of.First}
	case loop.Elsewhere:
	}
	return nil
}

// needPlaces has read what writers of the origin noted whose header was met.
func (s *shard) needPlaces(p *part) {
	origin := loop.ClusterID(p.sieve.places.asked)
	p.sieve.places.asked = p.sieve.places.asked[:0]
	again := p.sieve.places.again
	p.sieve.places.again = false
	p.src.aside(func(ctx context.Context) {
		if again && kafka.Sleep(ctx, untoldAgain) != nil {
			return
		}
		n := noted{asOf: p.src.registered.fetched()}
		var err error
		n.written, err = s.writtenBy(ctx, p.Spec, origin)
		p.placesRead(origin, n, err)
		p.goOn()
	})
}

func (p *part) placesRead(origin loop.ClusterID, n noted, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.stop(Backoff, kafka.Explain(fmt.Errorf("reading what the writers of %s noted at cluster %s: %w", origin, p.Source, err), kafka.SourceUnreachable))
		return
	}
	if p.sieve.places.known == nil {
		p.sieve.places.known = map[loop.ClusterID]noted{}
	}
	p.sieve.places.known[origin] = n
	p.retryAt = time.Time{}
}

// writtenBy reads what the writers of an origin noted of a partition at the cluster where it is read.
func (s *shard) writtenBy(ctx context.Context, spec Spec, origin loop.ClusterID) (out []checkpoint.Written, err error) {
	if err := spec.src.Dir.Refresh(ctx); err != nil {
		return nil, err
	}
	topics, _ := spec.src.Dir.Topics()
	known := s.clustersKnown(spec.src)
	for topic := range topics {
		alias, ok := strings.CutPrefix(topic, checkpoint.ProgressTopic(""))
		if ids := known[topology.Alias(alias)]; !ok || len(ids) > 0 && !ids[origin] {
			continue
		}
		var w checkpoint.Written
		err := spec.src.notes.of(spec.src.Control, topology.Alias(alias)).shard(ctx, topology.ShardOf(spec.Topic, spec.Number), func(h *checkpoint.Holdings) (err error) {
			w, err = h.Written(spec.Topic, spec.Number)
			return err
		})
		if err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	return out, nil
}

// clustersKnown are the cluster ids that are known of each alias. A registry that is lost may name none.
func (s *shard) clustersKnown(src *Source) map[topology.Alias]map[loop.ClusterID]bool {
	out := map[topology.Alias]map[loop.ClusterID]bool{s.dst.Alias: {s.dst.form(): true}, src.Alias: {src.form(): true}}
	add := func(a topology.Alias, id string) {
		c, err := loop.NewClusterID(id)
		if err != nil {
			return
		}
		if out[a] == nil {
			out[a] = map[loop.ClusterID]bool{}
		}
		out[a][c] = true
	}
	src.registered.clusters(add)
	s.dst.Writers.clusters(add)
	return out
}

// notes is what the writers of each origin noted at a site, for all who read there.
type notes struct {
	mu sync.Mutex
	by map[topology.Alias]*holdings
}

func (n *notes) of(c *kafka.Cluster, origin topology.Alias) *holdings {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.by == nil {
		n.by = map[topology.Alias]*holdings{}
	}
	if n.by[origin] == nil {
		n.by[origin] = &holdings{view: checkpoint.NewHoldings(c, origin)}
	}
	return n.by[origin]
}
