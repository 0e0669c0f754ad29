package flow

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// reading is a part that reads a topic of a cluster in this process; hide has the cluster say that there is no topic.
func reading(t *testing.T) (f *Fetcher, p *part, hide func(bool), produce func()) {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	cluster, err := new(kafka.Dialer).Dial(topology.Cluster{Alias: "us", Inside: topology.Endpoint{Bootstrap: c.ListenAddrs()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	writer, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.DefaultProduceTopic("t"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(writer.Close)
	produce = func() {
		if err := writer.ProduceSync(t.Context(), kgo.StringRecord("x")).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	produce()
	dir := kafka.NewDirectory(cluster, time.Hour)
	var hidden atomic.Bool
	c.ControlKey(int16(kmsg.Metadata), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		resp := r.ResponseKind().(*kmsg.MetadataResponse)
		return resp, nil, hidden.Load()
	})
	hide = func(yes bool) {
		hidden.Store(yes)
		until(t, "metadata does not change", func() bool { // a client keeps them for a while
			if err := dir.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			_, ok := dir.Get("t", 0)
			return ok != yes
		})
	}
	hide(false)
	f = NewFetcher(cluster, cluster, dir, NewBudget(1<<30))
	t.Cleanup(f.Close)
	at, _ := dir.Get("t", 0)
	p = loose(&mute{})
	p.Topic, p.At, p.SourceID = "t", "t", at.TopicID
	return f, p, hide, produce
}

// until waits for a condition.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for !is() {
		if kafka.Sleep(ctx, 5*time.Millisecond) != nil {
			t.Fatal(what)
		}
	}
}

func (p *part) place() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return int64(p.at)
}

// looked has all lanes look at p, and returns when they have.
func looked(t *testing.T, f *Fetcher, p *part) {
	t.Helper()
	for range 2 { // once the second is taken the first is done
		f.wakeFor(p)
		until(t, "a lane does not look", func() bool {
			f.mu.Lock()
			defer f.mu.Unlock()
			for _, l := range f.lanes {
				l.mu.Lock()
				n := len(l.dirty)
				l.mu.Unlock()
				if n > 0 {
					return false
				}
			}
			return true
		})
	}
}

// A topic that metadata left out for a while is read on.
func TestTopicThatWasOutOfSightIsReadOn(t *testing.T) {
	f, p, hide, produce := reading(t)
	f.add(p)
	until(t, "nothing is read", func() bool { return p.place() == 1 })
	hide(true)
	looked(t, f, p)
	hide(false)
	produce()
	until(t, "it is not read any more", func() bool { return p.place() == 2 })
}

// A topic that was made again is not read in place of the one before.
func TestTopicThatWasMadeAgainIsNotRead(t *testing.T) {
	f, p, _, _ := reading(t)
	p.SourceID[0]++
	f.add(p)
	looked(t, f, p)
	looked(t, f, p)
	if at := p.place(); at != 0 {
		t.Fatalf("it was read up to %d", at)
	}
}

// A transaction that does not end, such as one over a partition that lacks in-sync replicas, is told, and not waited for in silence.
func TestAnUnfinishedTransactionIsSaid(t *testing.T) {
	t.Parallel()
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	c.ControlKey(int16(kmsg.InitProducerID), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		resp := r.ResponseKind().(*kmsg.InitProducerIDResponse)
		resp.ErrorCode = kerr.ConcurrentTransactions.Code
		return resp, nil, true
	})
	cluster, err := new(kafka.Dialer).Dial(topology.Cluster{Alias: "us", Inside: topology.Endpoint{Bootstrap: c.ListenAddrs()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	s := newShard(topology.Shard{}, told{}, &env{}, &Destination{Site: &Site{Control: cluster}}, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithTimeout(t.Context(), 3*claimPatience)
	defer cancel()
	if _, err := s.claimIt(ctx); !errors.Is(err, kerr.ConcurrentTransactions) || ctx.Err() != nil {
		t.Fatalf("%v, after %v", err, ctx.Err())
	}
}

// A source in which nothing happens is heard all the same, though a fetch session does not name what did not change.
func TestAnIdleSourceIsHeard(t *testing.T) {
	f, p, _, _ := reading(t)
	f.add(p)
	until(t, "nothing is read", func() bool { return p.place() == 1 })
	heard := func() time.Time { return p.status().Stats.SeenAt }
	for range 3 {
		before := heard()
		until(t, "it is not heard any more", func() bool { return heard().After(before) })
	}
	f.remove(p)
	looked(t, f, p)
	until(t, "it is heard though nothing reads it", func() bool {
		before := heard()
		return kafka.Sleep(t.Context(), 2*longPoll) == nil && heard().Equal(before)
	})
}
