package flow

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/kafka/batch"
	"github.com/meshd/meshd/topology"
)

// Nothing is sent into a topic that was made again under the name of the one that was opened.
func TestNothingIsSentIntoAnotherTopicOfTheName(t *testing.T) {
	f, _, _, _ := reading(t)
	at, _ := f.dir.Get("t", 0)
	prod := NewProducer(f.tail, f.backlog, f.dir)
	t.Cleanup(prod.Close)
	answered := make(chan Ack, 1)
	o := prod.Outlet("t", 0, func(a Ack) { answered <- a }, nil)
	o.id = at.TopicID
	o.Send(&Flight{Data: batchAt(t, 0, -1, 1, 1)})
	if a := <-answered; a.Err != nil || a.Base != 1 {
		t.Fatal(a)
	}
	o.id[0]++
	o.Send(&Flight{Data: batchAt(t, 0, -1, 1, 1)})
	until(t, "it has no trouble", func() bool { _, err := o.Trouble(); return kafka.Classify(err) == kafka.Gone && err != nil })
	ends, err := f.tail.Offsets(t.Context(), []kafka.Partition{at}, kafka.End)
	if err != nil || ends[0].At != 2 {
		t.Fatalf("the topic ends at %d: %v", ends[0].At, err)
	}
}

// Send is called with the part's lock held, and stuck takes it: where there is no leader, Send does not call stuck itself, however long
// the process is stopped in between.
func TestSendDoesNotCallBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent := make(chan struct{})
		var calls atomic.Int32
		prod := NewProducer(nil, nil, kafka.NewDirectory(nil, time.Hour))
		defer prod.Close()
		o := prod.Outlet("t", 0, func(Ack) {}, func() {
			<-sent // for good, where Send waits for this
			calls.Add(1)
		})
		o.Send(&Flight{})
		close(sent)
		synctest.Wait()
		if _, err := o.Trouble(); calls.Load() == 0 || err != kerr.UnknownTopicOrPartition { //nolint:errorlint // as it was given
			t.Fatalf("%d calls, trouble %v", calls.Load(), err)
		}
		o.Close()
	})
}

// A batch that goes in the other stream waits until nothing is under way in the first one.
func TestBatchesOfAnotherStreamDoNotOvertake(t *testing.T) {
	prod := NewProducer(nil, nil, kafka.NewDirectory(nil, time.Hour))
	defer prod.Close()
	var told []int64
	o := prod.Outlet("t", 0, func(a Ack) { told = append(told, a.Base) }, nil)
	o.queued = true // as by a sender: this test takes its place
	for _, bulk := range []bool{true, true, false, false} {
		o.Send(&Flight{Bulk: bulk})
	}
	takes := func(bulk, more bool) *Flight {
		t.Helper()
		if o.stream() != bulk {
			t.Fatalf("the next one is not for the stream %v", bulk)
		}
		f, again := o.take(bulk, 0)
		if f == nil || f.Bulk != bulk || again != more {
			t.Fatalf("got %+v, another may follow: %v", f, again)
		}
		return f
	}
	first, second := takes(true, true), takes(true, false)
	for i, f := range []*Flight{first, second} {
		if f, _ := o.take(false, 0); f != nil {
			t.Fatalf("a batch overtakes one that is under way in the other stream")
		}
		o.queued = true
		o.answer(f, int64(i), nil)
	}
	third := takes(false, true)
	fourth := takes(false, false)
	o.answer(third, 2, nil)
	o.answer(fourth, 3, nil)
	if !slices.Equal(told, []int64{0, 1, 2, 3}) {
		t.Fatalf("answers came as %v", told)
	}
}

// A batch of the tail is answered while one of the backlog is not.
func TestTheTailPassesTheBacklog(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "tail", "backlog"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	held, letGo := make(chan struct{}), make(chan struct{})
	c.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if len(r.(*kmsg.ProduceRequest).Topics[0].Partitions[0].Records) > 1000 {
			close(held)
			c.SleepControl(func() { <-letGo })
		}
		return nil, nil, false
	})
	clients, err := dialTwice(new(kafka.Dialer), topology.Cluster{Alias: "eu", Inside: topology.Endpoint{Bootstrap: c.ListenAddrs()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeClients(clients) })
	dir := kafka.NewDirectory(clients[0], time.Hour)
	if err := dir.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	prod := NewProducer(clients[0], clients[1], dir)
	t.Cleanup(prod.Close)
	late, soon := make(chan Ack, 1), make(chan Ack, 1)
	prod.Outlet("backlog", 0, func(a Ack) { late <- a }, nil).Send(&Flight{Data: built(t, batch.None, 100), Bulk: true})
	<-held
	prod.Outlet("tail", 0, func(a Ack) { soon <- a }, nil).Send(&Flight{Data: built(t, batch.None, 1)})
	select {
	case a := <-soon:
		if a.Err != nil {
			t.Error(a.Err)
		}
	case <-time.After(5 * time.Second):
		t.Error("it waits behind the backlog")
	}
	close(letGo)
	if a := <-late; a.Err != nil {
		t.Error(a.Err)
	}
}

// Two writers have batches for one partition: no request has more than one of them, and each writer has its turn.
func TestOneBatchOfAPartitionInARequest(t *testing.T) {
	f, _, _, _ := reading(t)
	at, _ := f.dir.Get("t", 0)
	s := &sender{p: NewProducer(f.tail, f.backlog, f.dir), id: stream{broker: at.Leader}}
	t.Cleanup(s.p.Close)
	names, turns := map[*Outlet]string{}, []string{}
	for _, name := range []string{"a", "b"} {
		o := s.p.Outlet("t", 0, func(Ack) {}, nil)
		o.queued = true // as by a sender: this test takes its place
		for range 3 {
			o.Send(&Flight{Data: batchAt(t, 0, -1, 1, 1)})
		}
		names[o], s.queue = name, append(s.queue, o)
	}
	for {
		r := s.gather()
		if len(r.flights) == 0 {
			break
		}
		if n := len(r.msg.Topics[0].Partitions); n != 1 || len(r.flights) != 1 {
			t.Fatalf("a request has %d batches for one partition, and %d wait for its answer", n, len(r.flights))
		}
		for _, x := range r.flights {
			turns = append(turns, names[x.Outlet])
		}
	}
	if strings.Join(turns, "") != "ababab" {
		t.Errorf("they went out as %s", turns)
	}
}
