package groupsync

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/offsetxlate"
)

// custodies follows the records of one cluster: where meshd put each group there, and which clusters it wandered between. A record
// is written in the transaction that places the group.
type custodies struct {
	table checkpoint.Table
	of    map[string]offsetxlate.Custody
	bad   map[string]error // groups whose record can't be read: they are left alone, the others go on
}

func newCustodies(c *kafka.Cluster) *custodies {
	s := &custodies{of: map[string]offsetxlate.Custody{}, bad: map[string]error{}}
	s.table = checkpoint.Table{Cluster: c, Topic: checkpoint.GroupsTopic, Committed: true, Apply: s.apply}
	return s
}

func (s *custodies) apply(r *kgo.Record) error {
	group := string(r.Key)
	delete(s.of, group)
	delete(s.bad, group)
	if r.Value == nil {
		return nil
	}
	c, err := offsetxlate.DecodeCustody(r.Value)
	if err != nil {
		s.bad[group] = fmt.Errorf("the record of group %s at offset %d of %s: %w", group, r.Offset, r.Topic, err)
		return nil
	}
	s.of[group] = c
	return nil
}
