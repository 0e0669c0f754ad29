package chaos

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// watch consumes copies, and knows the longest time for which one of their partitions stood still.
type watch struct {
	began time.Time
	of    func(*kgo.Record) string // what a record is an arrival of; "": none
	mu    sync.Mutex
	last  map[spot]time.Time
	worst map[spot]stall
}

type spot struct {
	topic string // what of says
	num   int32
}

// stall is a time without arrivals, since the beginning.
type stall struct {
	spot
	from, to time.Duration
}

func (s stall) String() string {
	return fmt.Sprintf("%s/%d stood still for %.1f s, from %.1f s on", s.topic, s.num, (s.to - s.from).Seconds(), s.from.Seconds())
}

// watchCopies consumes what arrives of the feeds that go to a side.
func watchCopies(t *testing.T, began time.Time, s *side, feeds []*feed) *watch {
	t.Helper()
	var topics []string
	for _, f := range feeds {
		if f.to == s {
			topics = append(topics, f.remote())
		}
	}
	return startWatch(t, began, s, topics, func(r *kgo.Record) string { return r.Topic })
}

func startWatch(t *testing.T, began time.Time, s *side, topics []string, of func(*kgo.Record) string) *watch {
	t.Helper()
	w := &watch{began: began, of: of, last: map[spot]time.Time{}, worst: map[spot]stall{}}
	client := s.Client(t, kgo.ConsumeTopics(topics...), kgo.MetadataMaxAge(500*time.Millisecond),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.UnknownTopicRetries(-1), kgo.FetchMaxWait(200*time.Millisecond))
	ctx, halt := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			client.PollFetches(ctx).EachRecord(w.note)
		}
	}()
	t.Cleanup(func() { halt(); <-done })
	return w
}

func (w *watch) note(r *kgo.Record) {
	at, now := spot{w.of(r), r.Partition}, time.Now()
	if at.topic == "" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if last, ok := w.last[at]; ok && now.Sub(last) > w.worst[at].to-w.worst[at].from {
		w.worst[at] = stall{at, last.Sub(w.began), now.Sub(w.began)}
	}
	w.last[at] = now
}

// stalls returns the longest of each topic.
func (w *watch) stalls() map[string]stall {
	w.mu.Lock()
	defer w.mu.Unlock()
	worst := map[string]stall{}
	for at, s := range w.worst {
		if before := worst[at.topic]; s.to-s.from > before.to-before.from {
			worst[at.topic] = s
		}
	}
	return worst
}

func (f *feed) remote() string { return f.from.alias + "." + f.topic }
