package flow

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/topology"
)

// inflow runs the shards of one origin at one destination that this node holds: it finds the origin's topics at the clusters from which
// links lead to the destination, chooses for each where it is read, makes their copies exist, and hands partitions to shards. The Source
// of its Pair is the origin.
type inflow struct {
	topology.Pair
	env    *env
	mesh   loop.Mesh
	topo   *topology.Topology
	ways   []*way // in the order of their aliases
	dst    *Destination
	log    *slog.Logger
	cancel context.CancelFunc
	wg     sync.WaitGroup
	kick   chan struct{}

	own      *checkpoint.Topics // of the loop's goroutine, as what follows
	prepared bool
	lost     bool               // the progress topic is not the first one
	doubt    bool               // it may not be: the registry that had said which one is was lost
	choices  map[string]*chosen // by topic
	given    map[string]given   // what was handed out last
	graphs   map[string]*graph  // by topic, of topo

	mu     sync.Mutex // of topo, mesh and ways, too, where they are set
	news   *news      // nil: nothing new
	shards map[int]*running
	topics map[string]TopicStatus
	limits map[limitKey]*limited
	reason kafka.Reason // why nothing of the origin goes on
	ready  bool         // discovery has succeeded at least once
	seen   int          // partitions in the last status
}

// running is a shard with the goroutine that runs it.
type running struct {
	*shard
	cancel context.CancelFunc
	done   chan struct{}
}

// TopicStatus is what an inflow makes of one topic of its origin.
type TopicStatus struct {
	Topic      string         `json:"topic"`
	From       topology.Alias `json:"from"`           // where it is read
	Why        loop.Reason    `json:"why,omitempty"`  // it is read there; "" where there is no other way
	Since      time.Time      `json:"since,omitzero"` // when it was changed to that; zero: it was not since this inflow runs
	Remote     string         `json:"remote,omitempty"`
	Kind       loop.Kind      `json:"kind"`
	Identity   bool           `json:"identity"`            // it has one name everywhere
	BelowCut   int64          `json:"below_cut,omitempty"` // offsets at the origin that an import there left out for good
	Partitions int            `json:"partitions"`
	Reason     *kafka.Reason  `json:"reason,omitempty"`
	Drift      *kafka.Reason  `json:"drift,omitempty"` // why its configs could not be brought in line
}

func (p *inflow) start() {
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	p.wg.Go(func() { p.loop(ctx) })
	p.wg.Go(func() { p.beat(ctx) })
	p.wg.Go(func() { p.tell(ctx) })
}

// stop drains the pair's shards, all at once, and returns when they have.
func (p *inflow) stop() {
	p.cancel()
	p.wg.Wait()
	p.hold(nil)
	for _, w := range p.ways {
		w.close()
	}
}

// hold makes the shards that run be those of held: it stops before it starts. One that goes on is told what is new.
func (p *inflow) hold(held map[int]told) {
	p.mu.Lock()
	var gone []*running
	for n, r := range p.shards {
		if t, ok := held[n]; !ok || t.over == Any && t.epoch > r.toldNow().epoch && r.fenced() {
			gone = append(gone, r) // where nobody tells what it goes past, a higher epoch gives it to this node anew
			delete(p.shards, n)
		} else {
			r.tell(t)
		}
	}
	p.mu.Unlock()
	for _, r := range gone {
		r.cancel()
	}
	for _, r := range gone {
		<-r.done
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.limits {
		l.set(l.share(len(held)), time.Now())
	}
	p.env.released.note(gone)
	for n, t := range held {
		if p.shards[n] == nil {
			p.shards[n] = p.newRunning(n, t)
		}
	}
	p.poke()
}

// newRunning makes a shard that begins when discovery first tells it what it has.
func (p *inflow) newRunning(n int, t told) *running {
	id := topology.Shard{Origin: p.Source, Destination: p.Destination, Number: n}
	return &running{shard: newShard(id, t, p.env, p.dst, p.log), cancel: func() {}, done: closed}
}

var closed = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

func (p *inflow) poke() {
	select {
	case p.kick <- struct{}{}:
	default:
	}
}

// loop discovers at intervals, sooner when the source's metadata changed, and sooner still after a failure.
func (p *inflow) loop(ctx context.Context) {
	var changed <-chan struct{} // made anew when it was closed, or ways came: who waits behind it stays until then
	for failures := 0; ctx.Err() == nil; {
		if p.takeUp() || changed == nil {
			changed = p.changed()
		}
		wait := p.env.intervals.Discovery
		if err := p.discover(ctx); err != nil && ctx.Err() == nil {
			failures++
			p.prepared = false
			wait = min(wait, 200*time.Millisecond<<min(failures, 6))
			p.trouble(err)
		} else {
			failures = 0
			p.clear()
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-changed:
			changed = nil
		case <-p.kick:
		case <-ctx.Done():
		}
		t.Stop()
	}
}

func (p *inflow) trouble(err error) {
	r := kafka.Explain(err, kafka.ClusterUnreachable)
	p.mu.Lock()
	changed := !kafka.Alike(p.reason, r)
	p.reason = r
	p.mu.Unlock()
	if changed {
		p.log.Warn("pair does not go on", slog.String("reason", r.Code), slog.String("text", r.Text), slog.String("hint", r.Hint))
	}
}

func (p *inflow) clear() {
	p.mu.Lock()
	was := p.reason
	p.reason, p.ready = kafka.Reason{}, true
	p.mu.Unlock()
	if was.Code != "" {
		p.log.Info("pair goes on")
	}
}

// limitKey names a limit: the cluster that is read and the rule of the link that sets it; -1: the link itself.
type limitKey struct {
	from topology.Alias
	rule int
}

// throttleOf is what a topic's partitions share; nil where there is no limit.
func (p *inflow) throttleOf(w *way, topic string, limit int64) *throttle {
	if limit == 0 {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	key := limitKey{w.Alias, w.link.LimitOf(topic)}
	l := p.limits[key]
	if l == nil {
		l = &limited{bytes: limit}
		p.limits[key] = l
	}
	l.set(l.share(len(p.shards)), time.Now())
	return &l.throttle
}

// limited is a limit of all nodes together, of which this one takes the part that goes with the shards that it holds.
type limited struct {
	throttle
	bytes int64
}

func (l *limited) share(shards int) float64 {
	return float64(l.bytes) * float64(shards) / topology.Shards
}
