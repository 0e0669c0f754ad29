package kafka

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// firstWait is how long the first broker has to answer what any broker can; each next one has twice as long. One that hangs refuses
// nothing, and metadata lists it for as long as its session lasts.
const firstWait = time.Second

// anywhere sends a request that any broker can answer to one that is known, first to the one that answered last. Where none answers, or
// none is known, the client is left to find one.
func (c *Cluster) anywhere(ctx context.Context, req func() kmsg.Request) (kmsg.Response, error) {
	wait := firstWait
	for _, b := range c.known() {
		resp, err := within(ctx, wait, b, req())
		if err == nil {
			c.good.Store(b)
			return resp, nil
		}
		if ctx.Err() != nil {
			return nil, err
		}
		wait = min(2*wait, limitOf(c.Config))
	}
	return c.Client.Request(ctx, req())
}

func within(ctx context.Context, wait time.Duration, b *kgo.Broker, req kmsg.Request) (kmsg.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	return b.Request(ctx, req)
}

func (c *Cluster) known() []*kgo.Broker {
	brokers := c.Client.DiscoveredBrokers()
	good := c.good.Load()
	if good == nil {
		return brokers
	}
	others := slices.DeleteFunc(brokers, func(b *kgo.Broker) bool { return *b == *good }) // one that hangs now is not asked twice
	return append([]*kgo.Broker{good}, others...)
}

func (c *Cluster) metadata(ctx context.Context, topics ...string) (*kmsg.MetadataResponse, error) {
	resp, err := c.anywhere(ctx, func() kmsg.Request { return metadataRequest(topics) })
	if err != nil {
		return nil, fmt.Errorf("reading metadata of cluster %s: %w", c.Config.Alias, err)
	}
	return resp.(*kmsg.MetadataResponse), nil
}

// metadataRequest asks for topics, or for all if none is named.
func metadataRequest(topics []string) *kmsg.MetadataRequest {
	req := kmsg.NewPtrMetadataRequest()
	req.AllowAutoTopicCreation = false
	for _, topic := range topics {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = &topic
		req.Topics = append(req.Topics, t)
	}
	return req
}

// patient is a request whose answer takes its time over a slow line, beside the time that the broker may take for it.
type patient struct {
	kmsg.Request
	millis int32
}

// Timeout is what the client waits beside its own limit.
func (p patient) Timeout() int32 { return p.millis }

func (c *Cluster) patient(req *kmsg.FetchRequest) kmsg.Request {
	return patient{req, req.MaxWaitMillis + int32(limitOf(c.Config).Milliseconds())}
}
