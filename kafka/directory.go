package kafka

import (
	"context"
	"maps"
	"sync"
	"time"
)

// Directory remembers the topics of a cluster and where their partitions are. It is read again at intervals, and sooner
// when a caller met a wrong answer.
type Directory struct {
	cluster  *Cluster
	interval time.Duration
	kick     chan struct{}

	mu      sync.Mutex
	at      map[string][]Partition
	err     error
	changed chan struct{} // closed and renewed whenever something changed
	loaded  bool
}

// NewDirectory makes an empty directory; Run fills it.
func NewDirectory(c *Cluster, interval time.Duration) *Directory {
	return &Directory{
		cluster: c, interval: interval, kick: make(chan struct{}, 1),
		at: map[string][]Partition{}, changed: make(chan struct{}),
	}
}

// Get tells where a partition is.
func (d *Directory) Get(topic string, number int32) (Partition, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	ps := d.at[topic]
	if int(number) >= len(ps) {
		return Partition{}, false
	}
	return ps[number], true
}

// Topics is a copy of everything that the directory knows, and whether it was ever read.
func (d *Directory) Topics() (map[string][]Partition, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.at), d.loaded
}

// Err is why the last reading failed; nil if it did not.
func (d *Directory) Err() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}

// Changed is closed at the next change of what the directory knows.
func (d *Directory) Changed() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.changed
}

// Stale says that something in the directory was wrong.
func (d *Directory) Stale() {
	select {
	case d.kick <- struct{}{}:
	default:
	}
}

// Run reads the directory until ctx ends. A failure is kept for Err, and tried again after a wait that grows to the interval.
func (d *Directory) Run(ctx context.Context) {
	wait := time.Duration(0)
	for Sleep(ctx, wait) == nil {
		err := d.Refresh(ctx)
		if wait = d.interval; err != nil {
			wait = 500 * time.Millisecond
		}
		if d.waitOrKick(ctx, wait) {
			wait = 50 * time.Millisecond // several wrong answers come at once: one reading serves them
			continue
		}
		wait = 0
	}
}

func (d *Directory) waitOrKick(ctx context.Context, wait time.Duration) (kicked bool) {
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-d.kick:
		return true
	case <-t.C:
	case <-ctx.Done():
	}
	return false
}

// Refresh reads the whole directory now.
func (d *Directory) Refresh(ctx context.Context) error {
	at, err := d.cluster.Locate(ctx)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
	if err != nil {
		return err
	}
	if !d.loaded || !sameDirectory(d.at, at) {
		close(d.changed)
		d.changed = make(chan struct{})
	}
	d.at, d.loaded = at, true
	return nil
}

func sameDirectory(a, b map[string][]Partition) bool {
	return maps.EqualFunc(a, b, func(x, y []Partition) bool {
		if len(x) != len(y) {
			return false
		}
		for i := range x {
			if x[i] != y[i] {
				return false
			}
		}
		return true
	})
}
