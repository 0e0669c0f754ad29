package demo

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/topology"
)

// id is who a record is: the cluster and partition where it was written, and the how manieth it was there.
type id struct {
	origin    topology.Alias
	partition int32
	seq       int64
}

func (i id) String() string { return fmt.Sprintf("%s/%d/%d", i.origin, i.partition, i.seq) }

// idHeader carries the id of a record wherever it goes.
const idHeader = "demo-id"

// order makes a record. The same seed makes the same ones.
func order(i id, random *rand.Rand) *kgo.Record {
	return &kgo.Record{
		Topic: topic, Partition: i.partition,
		Key:     fmt.Appendf(nil, "customer-%03d", random.IntN(1000)),
		Value:   fmt.Appendf(nil, `{"order":"%s-%d-%06d","cents":%d}`, i.origin, i.partition, i.seq, 100+random.IntN(100_000)),
		Headers: []kgo.RecordHeader{{Key: idHeader, Value: []byte(i.String())}},
	}
}

// idOf reads the id of a record; false for a record that no application of the demo wrote.
func idOf(r *kgo.Record) (id, bool) {
	for _, h := range r.Headers {
		if h.Key == idHeader {
			return parseID(string(h.Value))
		}
	}
	return id{}, false
}

func parseID(s string) (id, bool) {
	parts := strings.Split(s, "/")
	if len(parts) != 3 {
		return id{}, false
	}
	partition, err := strconv.ParseInt(parts[1], 10, 32)
	if err != nil {
		return id{}, false
	}
	seq, err := strconv.ParseInt(parts[2], 10, 64)
	return id{topology.Alias(parts[0]), int32(partition), seq}, err == nil
}
