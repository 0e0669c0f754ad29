package kafka

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// WriteMarkers has the leaders of ps write abort markers of a producer id that no coordinator knows any more: from then on they refuse
// what that id sends under an epoch up to id.Epoch. It needs ALTER on the cluster. The answer is in the order of ps, nil where the
// marker is in all in-sync replicas.
func (c *Cluster) WriteMarkers(ctx context.Context, id ProducerID, ps []Partition) []error {
	out := make([]error, len(ps))
	byLeader := map[int32][]int{}
	for i, p := range ps {
		byLeader[p.Leader] = append(byLeader[p.Leader], i)
	}
	for leader, at := range byLeader {
		c.writeMarkers(ctx, leader, id, ps, at, out)
	}
	return out
}

func (c *Cluster) writeMarkers(ctx context.Context, leader int32, id ProducerID, ps []Partition, at []int, out []error) {
	resp, err := c.Client.Broker(int(leader)).Request(ctx, markersOf(id, ps, at))
	answers := map[Spot]error{}
	if err == nil {
		for _, m := range resp.(*kmsg.WriteTxnMarkersResponse).Markers {
			for _, t := range m.Topics {
				for _, p := range t.Partitions {
					answers[Spot{t.Topic, p.Partition}] = kerr.ErrorForCode(p.ErrorCode)
				}
			}
		}
	}
	for _, i := range at {
		answer, ok := answers[ps[i].Spot()]
		switch {
		case err != nil:
			out[i] = fmt.Errorf("writing a marker of producer %s to %s: %w", id, ps[i], err)
		case !ok:
			out[i] = fmt.Errorf("writing a marker of producer %s to %s: %w", id, ps[i], kerr.RequestTimedOut)
		case answer != nil:
			out[i] = fmt.Errorf("writing a marker of producer %s to %s: %w", id, ps[i], answer)
		}
	}
}

// markersOf asks for markers that begin the epoch behind id's. Brokers refuse a marker from an older coordinator than the last; no
// coordinator knows this id any more, so the highest number does no harm.
func markersOf(id ProducerID, ps []Partition, at []int) *kmsg.WriteTxnMarkersRequest {
	req := kmsg.NewPtrWriteTxnMarkersRequest()
	m := kmsg.NewWriteTxnMarkersRequestMarker()
	m.ProducerID, m.ProducerEpoch, m.CoordinatorEpoch = id.ID, id.Epoch, math.MaxInt32
	if m.ProducerEpoch < math.MaxInt16 {
		m.ProducerEpoch++
	}
	topics := map[string]int{}
	for _, i := range at {
		n, ok := topics[ps[i].Topic]
		if !ok {
			n = len(m.Topics)
			topics[ps[i].Topic] = n
			t := kmsg.NewWriteTxnMarkersRequestMarkerTopic()
			t.Topic = ps[i].Topic
			m.Topics = append(m.Topics, t)
		}
		m.Topics[n].Partitions = append(m.Topics[n].Partitions, ps[i].Number)
	}
	req.Markers = append(req.Markers, m)
	return req
}

// Memory is how long the brokers of a cluster remember producers.
type Memory struct {
	Txn      time.Duration // a transactional id without transactions: transactional.id.expiration.ms
	Producer time.Duration // a producer in a partition, by the timestamp of its last batch: producer.id.expiration.ms
}

// DefaultMemory is what brokers do where nothing else is set, and where their settings may not be read.
var DefaultMemory = Memory{Txn: 7 * 24 * time.Hour, Producer: 24 * time.Hour}

// Memory asks a broker for its settings, which are taken to be those of all.
func (c *Cluster) Memory(ctx context.Context) (Memory, error) {
	m := DefaultMemory
	md, err := c.Admin.BrokerMetadata(ctx)
	if err != nil {
		return m, fmt.Errorf("asking cluster %s how long it remembers producers: %w", c.Config.Alias, err)
	}
	if len(md.Brokers) == 0 {
		return m, fmt.Errorf("asking cluster %s how long it remembers producers: %w", c.Config.Alias, kerr.BrokerNotAvailable)
	}
	configs, err := c.Admin.DescribeBrokerConfigs(ctx, md.Brokers[0].NodeID)
	if err != nil {
		return m, fmt.Errorf("asking cluster %s how long it remembers producers: %w", c.Config.Alias, err)
	}
	for _, r := range configs {
		if r.Err != nil {
			return m, fmt.Errorf("asking cluster %s how long it remembers producers: %w", c.Config.Alias, r.Err)
		}
		m = memoryOf(r.Configs)
	}
	return m, nil
}

// memoryOf reads a broker's settings. Before producer.id.expiration.ms came with 3.4 (KIP-854), a partition remembered producers for as
// long as coordinators remembered transactional ids.
func memoryOf(configs []kadm.Config) Memory {
	m, txn, producer := DefaultMemory, time.Duration(0), time.Duration(0)
	for _, kv := range configs {
		switch kv.Key {
		case "transactional.id.expiration.ms":
			txn = milliseconds(kv.MaybeValue())
		case "producer.id.expiration.ms":
			producer = milliseconds(kv.MaybeValue())
		}
	}
	if txn > 0 {
		m.Txn, m.Producer = txn, txn
	}
	if producer > 0 {
		m.Producer = producer
	}
	return m
}

// milliseconds is 0 where there is no positive number.
func milliseconds(value string) time.Duration {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n <= 0 {
		return 0
	}
	return time.Duration(min(n, math.MaxInt64/int64(time.Millisecond))) * time.Millisecond
}

// LastSequence is the sequence number of the last record that a producer wrote to a partition, as its leader remembers it; -1 if that epoch
// has written none, and false if the leader does not know it. Brokers before 2.8 can't be asked.
func (c *Cluster) LastSequence(ctx context.Context, p Partition, id ProducerID) (seq int32, known bool, err error) {
	req := kmsg.NewPtrDescribeProducersRequest()
	t := kmsg.NewDescribeProducersRequestTopic()
	t.Topic, t.Partitions = p.Topic, []int32{p.Number}
	req.Topics = append(req.Topics, t)
	resp, err := c.Client.Broker(int(p.Leader)).Request(ctx, req)
	if err != nil {
		return 0, false, fmt.Errorf("asking for the producers of %s: %w", p, err)
	}
	for _, t := range resp.(*kmsg.DescribeProducersResponse).Topics {
		for _, at := range t.Partitions {
			if err := kerr.ErrorForCode(at.ErrorCode); err != nil {
				return 0, false, fmt.Errorf("asking for the producers of %s: %w", p, err)
			}
			for _, x := range at.ActiveProducers {
				if x.ProducerID == id.ID && x.ProducerEpoch == int32(id.Epoch) {
					return x.LastSequence, true, nil
				}
			}
		}
	}
	return 0, false, nil
}
