// Package mend makes kfake do as Apache Kafka does, where it does not.
package mend

import (
	"math"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Fetch mends answers: where an answer to a fetch is full as a whole, the partition that it ends
// in comes without its aborted transactions, and readers take their records for committed. So no answer is ever full as a whole; the
// limits of its partitions hold.
func Fetch(c *kfake.Cluster) {
	c.ControlKey(int16(kmsg.Fetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		req.(*kmsg.FetchRequest).MaxBytes = math.MaxInt32
		return nil, nil, false
	})
}
