package integration

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/internal/kafkatest"
	"github.com/meshd/meshd/internal/kafkatest/logread"
)

// Whatever a topic can hold arrives as it left: every codec, idempotent and transactional producers, null and empty keys, values and
// headers, headers that come twice, old records, large ones, a log that was compacted. What was aborted does not arrive.
func TestEveryKindOfRecord(t *testing.T) {
	parallel(t)
	sites := shared(t, "us", "eu")
	us, eu := sites[0], sites[1]
	topic := kafkatest.UniqueTopic(t, "mixed")
	us.CreateTopic(t, topic, 4, append([]string{"max.message.bytes", "2097152"}, soonCompacted...)...)
	compacted := produceUntilCompacted(t, us, topic)
	alterTopic(t, us, topic, "cleanup.policy", "delete") // null keys are to come, and the copy will not be compacted
	kept := len(readSettled(t, us, topic))
	m := newMesh(t, oneWay("us", "eu", topic), sites...)
	n := kept + produceMix(t, us, topic, 100_000)
	m.start(t, "eu-1") // half of it is a backlog, the other comes while the node runs
	n += produceMix(t, us, topic, 200_000)
	n += produceLarge(t, us, topic)
	copyOf{us, eu, topic}.verify(t, n)
	all := len(us.ReadAll(t, topic, logread.Uncommitted))
	if all <= n {
		t.Errorf("nothing was aborted: %d records, %d committed", all, n)
	}
	t.Logf("%d records compared equal, %d of them left of %d after compaction; %d aborted ones stayed away", n, kept, compacted, all-n)
}

func produceMix(t *testing.T, s *site, topic string, seed uint64) (n int) {
	t.Helper()
	codecs := []kgo.CompressionCodec{
		kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression(),
	}
	for i, codec := range codecs {
		w := kafkatest.Workload{Seed: seed + uint64(3*i), Records: 600, Partitions: 4, Codec: codec}
		if i%2 == 0 {
			w.Start = time.Now().Add(-48 * time.Hour)
		}
		n += len(s.Produce(t, topic, w))
		w.Seed++
		w.Transactions = true
		n += len(s.Produce(t, topic, w))
	}
	return n
}

// produceLarge adds records of 1 MB, alone in their batches and with neighbours.
func produceLarge(t *testing.T, s *site, topic string) int {
	t.Helper()
	client := s.Client(t, kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchMaxBytes(2<<20),
		kgo.ProducerBatchCompression(kgo.NoCompression()))
	var records []*kgo.Record
	for p := range int32(4) {
		for i := range 3 {
			records = append(records, &kgo.Record{Partition: p, Key: fmt.Append(nil, "large", i), Value: bytes.Repeat([]byte{byte(i)}, 1_000_000)},
				&kgo.Record{Partition: p, Key: fmt.Append(nil, "small", i)})
		}
	}
	if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	return len(records)
}

// soonCompacted are the configs of a topic that a broker's cleaner takes at once.
var soonCompacted = []string{"cleanup.policy", "compact", "segment.ms", "100", "min.cleanable.dirty.ratio", "0.01"}

// A compacted log has gaps; what is left of it arrives, in its order.
func TestCompactedSource(t *testing.T) {
	parallel(t)
	sites := shared(t, "us", "eu")
	us, eu := sites[0], sites[1]
	topic := kafkatest.UniqueTopic(t, "compacted")
	us.CreateTopic(t, topic, 2, soonCompacted...)
	produced := produceUntilCompacted(t, us, topic)
	alterTopic(t, us, topic, "cleanup.policy", "delete") // the copy will not be compacted
	kept := readSettled(t, us, topic)
	newMesh(t, oneWay("us", "eu", topic), sites...).start(t, "eu-1")
	copyOf{us, eu, topic}.verify(t, len(kept))
	t.Logf("of %d records %d were left after compaction, in %d stretches; they compared equal", produced, len(kept), stretches(kept))
}

// produceUntilCompacted writes again and again over few keys, which is also what makes the broker begin new segments.
func produceUntilCompacted(t *testing.T, s *site, topic string) (produced int) {
	t.Helper()
	await(t, topic+" to be compacted", func() (string, bool) {
		w := kafkatest.Workload{Seed: 7, Records: 2_000, Partitions: 2, Size: 100}
		for i := range 3 { // keys go by the record's number: the last two come only once, and stay
			w.Seed += uint64(i)
			produced += len(s.Produce(t, topic, w))
		}
		kept, err := readOnce(t, s, topic)
		return fmt.Sprintf("%d records of %d in %d stretches, %v", len(kept), produced, stretches(kept), err), stretches(kept) > 20
	})
	return produced
}

// readSettled reads a topic once a compaction that was under way has ended: for a second, nothing changes.
func readSettled(t *testing.T, s *site, topic string) (kept []*kgo.Record) {
	t.Helper()
	same := 0
	await(t, "the last compaction of "+topic, func() (string, bool) {
		now, err := readOnce(t, s, topic)
		if same++; err != nil || len(now) != len(kept) {
			same = 0
		}
		kept = now
		return fmt.Sprintf("%d records, %v", len(kept), err), same >= 20
	})
	return kept
}

// readOnce reads a topic whose beginning may be compacted away meanwhile, which is an error.
func readOnce(t *testing.T, s *site, topic string) (all []*kgo.Record, err error) {
	client := s.Client(t)
	defer client.Close()
	bounds, err := logread.Bounds(t.Context(), client, topic, logread.Committed)
	for p := range int32(len(bounds)) {
		for r := logread.New(client, topic, p, bounds[p], logread.Committed); err == nil; {
			var records []*kgo.Record
			records, err = r.Next(t.Context())
			all = append(all, records...)
		}
		if !errors.Is(err, io.EOF) {
			return nil, err
		}
		err = nil
	}
	return all, err
}

// stretches counts the runs of offsets without gaps.
func stretches(rs []*kgo.Record) (n int) {
	for i, r := range rs {
		if i == 0 || rs[i-1].Partition != r.Partition || rs[i-1].Offset+1 != r.Offset {
			n++
		}
	}
	return n
}

func alterTopic(t testing.TB, s *site, topic, key, value string) {
	t.Helper()
	rs, err := kadm.NewClient(s.Client(t)).AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: key, Value: &value}}, topic)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rs.On(topic, func(r *kadm.AlterConfigsResponse) error { return r.Err }); err != nil {
		t.Fatalf("setting %s of %s: %v", key, topic, err)
	}
}

// A topic that stamps records at their arrival has its stamps copied, not the producers' times that lie in its batches.
func TestLogAppendTime(t *testing.T) {
	parallel(t)
	sites := shared(t, "us", "eu")
	us, eu := sites[0], sites[1]
	c := copyOf{us, eu, kafkatest.UniqueTopic(t, "stamped")}
	us.CreateTopic(t, c.topic, 2, "message.timestamp.type", "LogAppendTime")
	newMesh(t, oneWay("us", "eu", c.topic), sites...).start(t, "eu-1")
	begin := time.Now().Add(-time.Hour)
	n := 0
	for i, codec := range []kgo.CompressionCodec{kgo.NoCompression(), kgo.Lz4Compression()} {
		n += len(us.Produce(t, c.topic, kafkatest.Workload{Seed: uint64(i), Records: 500, Partitions: 2, Codec: codec, Start: begin.Add(-48 * time.Hour)}))
	}
	c.verify(t, n)
	if at := eu.ReadAll(t, c.remote(), logread.Uncommitted)[0].Timestamp; kafkatest.Real() && at.Before(begin) {
		t.Errorf("the first record is of %s", at)
	}
	t.Logf("%d records compared equal", n)
}

// A log begins with the marker of an aborted transaction, and the next transaction of the same producer is committed: only what the
// marker ends is left out.
func TestLogBeginsAtAbortMarker(t *testing.T) {
	parallel(t)
	sites := shared(t, "us", "eu")
	us, eu := sites[0], sites[1]
	c := copyOf{us, eu, kafkatest.UniqueTopic(t, "marker")}
	us.CreateTopic(t, c.topic, 1)
	client := us.Client(t, kgo.DefaultProduceTopic(c.topic), kgo.TransactionalID(c.topic))
	transact(t, client, 3, kgo.TryAbort) // offsets 0 to 2, and the marker at 3
	deleteBefore(t, us, c.topic, []*kgo.Record{{Offset: 2}})
	transact(t, client, 4, kgo.TryCommit)
	newMesh(t, oneWay("us", "eu", c.topic), sites...).start(t, "eu-1")
	c.verify(t, 4)
	t.Logf("4 committed records compared equal")
}

func transact(t *testing.T, client *kgo.Client, n int, end kgo.TransactionEndTry) {
	t.Helper()
	if err := client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := client.ProduceSync(t.Context(), &kgo.Record{Value: fmt.Appendf(nil, "%v %d", end, i)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	if err := client.EndTransaction(t.Context(), end); err != nil {
		t.Fatal(err)
	}
}
