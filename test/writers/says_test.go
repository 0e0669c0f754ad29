package writers

import (
	"fmt"
	"strings"

	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// part is what the node says of a partition.
func (o *owner) part(topic string, number int32) (flow.PartStatus, bool) {
	for _, p := range o.Status().Pairs {
		for _, x := range p.Partitions {
			if x.Topic == topic && x.Partition == number {
				return x, true
			}
		}
	}
	return flow.PartStatus{}, false
}

// says returns the reasons and warnings that the node gives, by code.
func (o *owner) says() map[string]kafka.Reason {
	all := map[string]kafka.Reason{}
	add := func(rs ...kafka.Reason) {
		for _, r := range rs {
			all[r.Code] = r
		}
	}
	some := func(r *kafka.Reason) {
		if r != nil {
			add(*r)
		}
	}
	for _, p := range o.Status().Pairs {
		some(p.Reason)
		for _, s := range p.Shards {
			some(s.Reason)
			add(s.Warnings...)
		}
		for _, x := range p.Topics {
			some(x.Reason)
		}
		for _, x := range p.Partitions {
			some(x.Reason)
			add(x.Warnings...)
		}
	}
	return all
}

// said is a reason that is no error here.
type said kafka.Reason

// awaitSays waits for a reason or warning, which is to have a text and to say what to do.
func (o *owner) awaitSays(code string) (r said) {
	o.t.Helper()
	await(o.t, o.name+" to say "+code, func() (string, bool) {
		found, ok := o.says()[code]
		r = said(found)
		return o.told(), ok
	})
	if r.Hint == "" || r.Text == "" {
		o.t.Errorf("%s says %s without a text or what to do: %+v", o.name, code, r)
	}
	return r
}

// told is the status in short.
func (o *owner) told() string {
	var b strings.Builder
	for _, p := range o.Status().Pairs {
		fmt.Fprintf(&b, "pair %s->%s ready %t %v\n", p.Source, p.Destination, p.Ready, p.Reason)
		for _, s := range p.Shards {
			fmt.Fprintf(&b, "  shard %d %s writer %s %v %v\n", s.Number, s.State, s.Writer, s.Reason, s.Warnings)
		}
		for _, x := range p.Partitions {
			fmt.Fprintf(&b, "  %s/%d %s next %d dest %d lag %d recopied %d zombie %d foreign %d %v %v\n",
				x.Topic, x.Partition, x.State, x.Next, x.Dest, x.Lag, x.Stats.Recopied, x.Stats.Zombie, x.Stats.Foreign, x.Reason, x.Warnings)
		}
	}
	return b.String()
}

// awaitNext waits until records below an offset of the source are acknowledged.
func (o *owner) awaitNext(topic string, number int32, next int64) {
	o.t.Helper()
	await(o.t, fmt.Sprintf("%s to have copied %s/%d up to %d", o.name, topic, number, next), func() (string, bool) {
		p, _ := o.part(topic, number)
		return o.told(), p.Next >= next && p.State == flow.Streaming
	})
}

// writer is the producer id and epoch of the shard of a partition.
func (o *owner) writer(topic string, number int32) string {
	for _, p := range o.Status().Pairs {
		for _, s := range p.Shards {
			if s.Number == topology.ShardOf(topic, number) {
				return s.Writer
			}
		}
	}
	return ""
}
