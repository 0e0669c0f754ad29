package writers

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/meshd/meshd/internal/kafkatest"
)

// initOnce takes a transactional id over.
func initOnce(t *testing.T, c *kafkatest.Cluster, txn string) (id int64, epoch int16, err error) {
	t.Helper()
	req := kmsg.NewPtrInitProducerIDRequest()
	req.TransactionalID, req.TransactionTimeoutMillis, req.ProducerID, req.ProducerEpoch = &txn, 10_000, -1, -1
	resp, err := req.RequestWith(t.Context(), client(t, c))
	if err != nil {
		return 0, 0, err
	}
	return resp.ProducerID, resp.ProducerEpoch, kerr.ErrorForCode(resp.ErrorCode)
}

// Writers, point 4: after 32,767 take-overs the transactional id has another producer id. The old one is shut out by markers of its own.
func TestEpochsRunOut(t *testing.T) {
	kafkatest.RealOnly(t, "kfake's epochs are not Kafka's")
	w := one(t, source(t), plain(t))
	topic := w.topics[0]
	z := w.alive(t, topic, time.Time{})
	before := z.writer(topic, 0)
	began, n := time.Now(), 0
	for txn := w.txnID(topic); ; n++ {
		id, _, err := initOnce(t, w.to, txn)
		switch {
		case errors.Is(err, kerr.ConcurrentTransactions):
			continue
		case err != nil:
			t.Fatal(err)
		}
		if strconv.FormatInt(id, 10) != idOf(before) {
			break
		}
	}
	t.Logf("another producer id after %d take-overs in %s", n, time.Since(began))
	z.stall()
	heir := w.start(t, "eu-2")
	heir.awaitNext(topic, 0, z.next)
	if after := heir.writer(topic, 0); idOf(before) == idOf(after) {
		t.Fatalf("writer %s before, %s after", before, after)
	}
	if r, ok := heir.says()["predecessor_unfenced"]; ok {
		t.Errorf("it may write markers, but says %+v", r)
	}
	z.wakes(t, kerr.InvalidProducerEpoch)
	heir.awaitNext(topic, 0, z.feed.add(100))
	w.same(t, topic)
}
