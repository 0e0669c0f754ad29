package integration

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/internal/kafkatest"
)

// An application at eu consumes a topic that three clusters share, and produces what it makes of each record to another topic and to the
// same one, with all headers that the record had. Nothing that it wrote is lost anywhere, nor anything else.
func TestIdentityApplicationCopiesHeaders(t *testing.T) {
	parallel(t)
	sites := shared(t, "us", "eu", "ap")
	p := newCopying(t, sites, "eu")
	m := newMesh(t, identity("us, eu, ap", p.topic, p.other.topic), sites...)
	m.startAll(t)
	p.run(t, pick(2_000, 10_000))
}

// copying is a topic, and an application that copies what is in it.
type copying struct {
	common
	other common // a topic that the application alone writes to
	app   *site
}

func newCopying(t *testing.T, sites []*site, at string) *copying {
	t.Helper()
	p := &copying{common: newCommon(t, 4, sites...), other: newCommon(t, 4, sites...)}
	p.app = sites[slices.IndexFunc(sites, func(s *site) bool { return s.alias == at })]
	return p
}

// run writes n records at each site, has the application copy what comes to it until it had all, and compares.
func (p *copying) run(t *testing.T, n int) {
	t.Helper()
	loads := p.load(t, kafkatest.Workload{Records: n, Partitions: 4}, n/4)
	a := startApplication(t, p.app, p.topic, p.topic, p.other.topic)
	produced := loads.wait(t)
	all := n * len(p.sites)
	awaitFor(t, 2*patience, fmt.Sprintf("the application to copy %d records", all), func() (string, bool) {
		return strconv.FormatInt(a.copied.Load(), 10), int(a.copied.Load()) >= all
	})
	a.stop(t)
	produced[p.app.alias] += all
	p.verify(t, produced)
	p.other.verify(t, map[string]int{p.app.alias: all})
}

// application copies the records of a topic to others at its site, once each, but for those that it made itself.
type application struct {
	copied atomic.Int64
	failed atomic.Pointer[error]
	halted atomic.Bool
	ways   sync.WaitGroup
}

func startApplication(t testing.TB, s *site, from string, to ...string) *application {
	t.Helper()
	a := &application{}
	client := s.Client(t, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	consume(t, s, from, func(r *kgo.Record) {
		if kafkatest.IsCopy(r.Key, r.Value) || a.halted.Load() {
			return
		}
		for _, topic := range to {
			made := kafkatest.CopyAt(s.alias, r)
			made.Topic = topic
			a.ways.Add(1)
			client.Produce(context.WithoutCancel(t.Context()), made, a.made)
		}
		a.copied.Add(1)
	})
	return a
}

func (a *application) made(_ *kgo.Record, err error) {
	defer a.ways.Done()
	if err != nil {
		a.failed.Store(&err)
	}
}

// stop returns when everything is written that it made.
func (a *application) stop(t testing.TB) {
	t.Helper()
	a.halted.Store(true)
	a.ways.Wait()
	if err := a.failed.Load(); err != nil {
		t.Fatal(*err)
	}
}
