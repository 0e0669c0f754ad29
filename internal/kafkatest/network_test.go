package kafkatest

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/internal/kafkatest/logread"
	"github.com/meshd/meshd/internal/wire"
)

// All that a client asks goes through the network, and a client that is struck there can't get round it.
func TestBehind(t *testing.T) {
	network := wire.New()
	t.Cleanup(network.Close)
	c := Start(t, "us", Behind(network))
	topic := UniqueTopic(t, "orders")
	c.CreateTopic(t, topic, 2)
	want := c.Produce(t, topic, Workload{Records: 50, Partitions: 2})
	sameRecords(t, c.ReadAll(t, topic, logread.Committed), want)
	if err := ping(t, c, kgo.ClientID("struck")); err != nil {
		t.Error(err)
	}
	network.Strike("struck", wire.Cut)
	if err := ping(t, c, kgo.ClientID("struck")); err == nil {
		t.Error("a client that is cut off is answered")
	}
	if err := ping(t, c, kgo.ClientID("another")); err != nil {
		t.Error(err)
	}
	network.Strike("struck", wire.None)
	for began := time.Now(); ; {
		err := ping(t, c, kgo.ClientID("struck"))
		if err == nil {
			return
		}
		if time.Since(began) > 10*time.Second {
			t.Fatalf("the fault is over, and: %v", err)
		}
	}
}
