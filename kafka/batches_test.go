package kafka_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/kafka/batch"
)

// bases reads the batches of partition 0 between two offsets, and returns where they begin.
func (r *reading) bases(from, to int64) (out []int64, err error) {
	err = r.cluster.Batches(r.ctx, r.locate()[0], from, to, func(b batch.Batch) (bool, error) {
		out = append(out, b.BaseOffset())
		return true, nil
	})
	return out, err
}

// write writes a record to partition 0 for each value, in a batch each.
func (r *reading) write(values ...string) {
	r.Helper()
	for _, v := range values {
		r.produce(0, v)
	}
}

// fetches answers each fetch as f does, unless that is nil, and counts them.
func (r *reading) fetches(f func(n int) *kmsg.FetchResponseTopicPartition) (count func() int) {
	asked := make(chan struct{}, 1000)
	r.fake.ControlKey(int16(kmsg.Fetch), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		r.fake.KeepControl()
		asked <- struct{}{}
		p := f(len(asked))
		if p == nil {
			return nil, nil, false
		}
		req := kreq.(*kmsg.FetchRequest)
		t := kmsg.NewFetchResponseTopic()
		t.Topic, t.TopicID, t.Partitions = req.Topics[0].Topic, req.Topics[0].TopicID, append(t.Partitions, *p)
		resp := req.ResponseKind().(*kmsg.FetchResponse)
		resp.Topics = append(resp.Topics, t)
		return resp, nil, true
	})
	return func() int { return len(asked) }
}

func TestBatches(t *testing.T) {
	r := newReading(t, 1)
	r.write("a", "b", "c")
	three := make([]*kgo.Record, 3)
	for i := range three {
		three[i] = &kgo.Record{Topic: "orders", Value: []byte("d")}
	}
	if err := r.cluster.Client.ProduceSync(r.ctx, three...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	r.write("g")
	for _, x := range []struct {
		from, to int64
		want     string
	}{
		{0, 7, "[0 1 2 3 6]"}, {1, 3, "[1 2]"}, {1, 4, "[1 2 3]"}, {4, 5, "[3]"}, {5, 7, "[3 6]"}, {6, 7, "[6]"},
	} {
		if got, err := r.bases(x.from, x.to); err != nil || fmt.Sprint(got) != x.want {
			t.Errorf("%d to %d: %v, %v, want %s", x.from, x.to, got, err, x.want)
		}
	}
	count := r.fetches(func(int) *kmsg.FetchResponseTopicPartition { return nil })
	for _, from := range []int64{5, 7} {
		if got, err := r.bases(from, 5); err != nil || len(got) > 0 || count() > 0 {
			t.Errorf("%d to 5: %v, %v, and %d fetches", from, got, err, count())
		}
	}
}

// Who reads says when it is enough, and has its own errors back as they are.
func TestBatchesEnd(t *testing.T) {
	r := newReading(t, 1)
	r.write("a", "b", "c")
	mine := errors.New("mine")
	for _, want := range []error{nil, mine} {
		n := 0
		err := r.cluster.Batches(r.ctx, r.locate()[0], 0, 3, func(batch.Batch) (bool, error) {
			n++
			return n < 2 || want != nil && n < 3, map[int]error{2: want}[n]
		})
		if n != 2 || err != want { //nolint:errorlint // itself
			t.Errorf("%d batches, %v", n, err)
		}
	}
}

// Compaction leaves a gap, and nothing behind the place up to which is read is read.
func TestBatchesAcrossAGap(t *testing.T) {
	r := newReading(t, 1)
	compact := "compact"
	if _, err := kadm.NewClient(r.cluster.Client).AlterTopicConfigs(r.ctx, []kadm.AlterConfig{{Name: "cleanup.policy", Value: &compact}}, "orders"); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"a", "b", "b", "b", "c"} { // 1 and 2 go
		if err := r.cluster.Client.ProduceSync(r.ctx, &kgo.Record{Topic: "orders", Key: []byte(key)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	r.fake.Compact()
	for _, x := range []struct {
		from, to int64
		want     string
	}{{0, 5, "[0 3 4]"}, {1, 5, "[3 4]"}, {2, 4, "[3]"}, {0, 3, "[0]"}, {1, 3, "[]"}} {
		if got, err := r.bases(x.from, x.to); err != nil || fmt.Sprint(got) != x.want {
			t.Errorf("%d to %d: %v, %v, want %s", x.from, x.to, got, err, x.want)
		}
	}
	if epoch, err := r.cluster.EpochFrom(r.ctx, r.locate()[0], 1, kafka.Bounds{End: 3, Epoch: 17}); err != nil || epoch != 17 {
		t.Errorf("epoch %d where nothing is left, %v", epoch, err)
	}
}

// Retention takes what is yet to be read.
func TestBatchesThatAreDeleted(t *testing.T) {
	r := newReading(t, 1)
	large := make([]byte, 700_000) // one an answer
	_, _ = rand.NewChaCha8([32]byte{}).Read(large)
	r.write(string(large), string(large), string(large))
	n := 0
	err := r.cluster.Batches(r.ctx, r.locate()[0], 0, 3, func(batch.Batch) (bool, error) {
		n++
		r.deleteTo(0, 2)
		return true, nil
	})
	if n != 1 || !errors.Is(err, kerr.OffsetOutOfRange) {
		t.Errorf("%d batches, %v", n, err)
	}
}

// What never leads on is an error, and not waited for.
func TestBatchesThatCannotBeRead(t *testing.T) {
	for name, x := range map[string]struct {
		damage func(first, second []byte) [][]byte
		want   error
	}{
		"a flipped bit":     {func(a, b []byte) [][]byte { b[len(b)-1] ^= 1; return [][]byte{a, b} }, &batch.CorruptError{}},
		"zeros":             {func(a, b []byte) [][]byte { return [][]byte{a, make([]byte, len(b))} }, &batch.CorruptError{}},
		"too long a length": {func(a, b []byte) [][]byte { binary.BigEndian.PutUint32(b[8:], 1<<30); return [][]byte{a, b} }, batch.ErrPartial},
		"half of it":        {func(a, b []byte) [][]byte { return [][]byte{a, b[:len(b)/2]} }, batch.ErrPartial},
		"what was before":   {func(a, _ []byte) [][]byte { return [][]byte{a} }, batch.ErrPartial},
		"nothing":           {func(_, _ []byte) [][]byte { return nil }, kafka.ErrNothing},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReading(t, 1)
			r.write("a", "b", "c")
			first, second := r.raw()
			answer := kmsg.NewFetchResponseTopicPartition()
			for _, b := range x.damage(first, second) {
				answer.RecordBatches = append(answer.RecordBatches, b...)
			}
			r.fetches(func(int) *kmsg.FetchResponseTopicPartition { return &answer })
			got, err := r.bases(0, 3)
			var corrupt *batch.CorruptError
			if same := errors.Is(err, x.want) || errors.As(x.want, &corrupt) && errors.As(err, &corrupt); !same {
				t.Errorf("%v, want %T %v", err, x.want, x.want)
			}
			if want := min(1, len(answer.RecordBatches)); len(got) != want {
				t.Errorf("%v was read", got)
			}
		})
	}
}

// raw is the first two batches of partition 0.
func (r *reading) raw() (first, second []byte) {
	r.Helper()
	got, err := r.cluster.Fetch(r.ctx, kafka.FetchRequest{MaxBytes: 1 << 20, Wants: []kafka.Want{{Partition: r.locate()[0], MaxBytes: 1 << 20, LastEpoch: -1}}})
	if err != nil {
		r.Fatal(err)
	}
	a, rest, _ := batch.Next(got[0].RecordBatches)
	b, _, err := batch.Next(rest)
	if err != nil {
		r.Fatal(err)
	}
	return a, b
}

// A broker whose quota is exceeded answers nothing, and says for how long: that is no topic that is not there.
func TestBatchesThatAreThrottled(t *testing.T) {
	for most, want := range map[int]error{3: nil, 1000: kerr.ThrottlingQuotaExceeded} {
		r := newReading(t, 1)
		r.write("a")
		n := 0
		r.fake.ControlKey(int16(kmsg.Fetch), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
			r.fake.KeepControl()
			n++
			resp := kreq.ResponseKind().(*kmsg.FetchResponse)
			resp.ThrottleMillis = 1
			return resp, nil, n <= most
		})
		if got, err := r.bases(0, 1); !errors.Is(err, want) || want == nil && len(got) != 1 {
			t.Errorf("%v, %v, want %v", got, err, want)
		}
	}
}

// A new leader gives nothing for a while of what its followers don't have yet.
func TestBatchesThatComeLate(t *testing.T) {
	r := newReading(t, 1)
	r.write("a", "b", "c")
	count := r.fetches(func(n int) *kmsg.FetchResponseTopicPartition {
		if n > 3 {
			return nil
		}
		return new(kmsg.NewFetchResponseTopicPartition())
	})
	if got, err := r.bases(0, 3); err != nil || len(got) != 3 || count() != 4 {
		t.Errorf("%v after %d fetches, %v", got, count(), err)
	}
}
