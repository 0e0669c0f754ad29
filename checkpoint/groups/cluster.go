package groups

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Cluster reads and places the groups of one Kafka cluster. It is safe for concurrent use. It starts goroutines within a call
// only, and a call returns after the last of them.
type Cluster struct {
	cl      *kgo.Client
	timeout time.Duration

	mu sync.Mutex
	at map[string]int32 // coordinators of groups, as last heard
}

// longestWait bounds every request: a broker that takes longer is treated as one that is gone, and asked again the next time.
const longestWait = 2 * time.Second

// New makes a Cluster of a client, which stays the caller's to close. A request waits for timeout, or 2 s if that is less.
//
// A broker answers the requests of a connection one after the other, and a commit waits for its followers: while one of them hangs,
// reading waits too. Whoever reads and places all the time gives each a Cluster with a client of its own.
func New(cl *kgo.Client, timeout time.Duration) *Cluster {
	return &Cluster{cl: cl, timeout: min(timeout, longestWait), at: make(map[string]int32)}
}

// pinned holds a request back to a version at which it still means what meshd needs.
type pinned struct {
	kmsg.Request
	max int16
}

func (p pinned) MaxVersion() int16 { return p.max }

// The highest versions that are used. From AddPartitionsToTxn v4, AddOffsetsToTxn v4, EndTxn v5, TxnOffsetCommit v5 and Produce
// v12 on, a broker with transaction version 2 adds partitions by itself and raises the epoch at each end (KIP-890). From
// OffsetCommit v10 and OffsetFetch v10 on, topics have ids and no names.
const (
	maxProduce         = 11
	maxOffsetCommit    = 9
	maxOffsetFetch     = 9
	maxInitProducerID  = 4
	maxAddPartitions   = 3
	maxAddOffsets      = 3
	maxEndTxn          = 4
	maxTxnOffsetCommit = 4
)

// ask sends a request to one broker and waits for its answer, once.
func ask[R kmsg.Response](ctx context.Context, c *Cluster, broker int32, req kmsg.Request) (R, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	resp, err := c.cl.Broker(int(broker)).Request(ctx, req)
	if err != nil {
		var none R
		return none, fmt.Errorf("asking broker %d: %w", broker, err)
	}
	return resp.(R), nil
}

// nextBroker is how long a broker has for a question that any of them can answer, before another one is asked beside it; mostBrokers
// is how many are asked.
const (
	nextBroker  = 250 * time.Millisecond
	mostBrokers = 5
)

// anyAnswer is what one of several brokers said.
type anyAnswer struct {
	resp kmsg.Response
	err  error
}

// askAny puts a question to one broker after the other, until one has answered or the time is up. The client takes another broker
// each time. Each try is a request of its own, for the client still holds the one before.
func askAny[R kmsg.Response](ctx context.Context, c *Cluster, request func() kmsg.Request) (resp R, err error) {
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	answers := make(chan anyAnswer, mostBrokers)
	for asked, failed := 0, 0; failed < mostBrokers; {
		if asked < mostBrokers {
			asked++
			wg.Go(func() {
				r, err := c.cl.Request(ctx, request())
				answers <- anyAnswer{r, err}
			})
		}
		select {
		case a := <-answers:
			if a.err == nil {
				return a.resp.(R), nil
			}
			failed, err = failed+1, a.err
		case <-time.After(nextBroker):
		}
	}
	return resp, err
}
