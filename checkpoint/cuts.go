package checkpoint

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/meshd/meshd/topology"
)

// Cut is what an import says of a shared topic in which another tool had copied: up to where its log serves nobody, and how far that tool
// had come in the logs from which it copied.
type Cut struct {
	Version int             `json:"v"`        // 1
	TopicID string          `json:"topic_id"` // of the topic here
	Below   map[int32]int64 `json:"below"`    // by partition: what lies below it here is not sent to anybody as produced here
	// From is where copying goes on, by origin.
	From map[topology.Alias]Reached `json:"from"`
}

// Reached is how far a tool had come at an origin.
type Reached struct {
	Incarnation int32                 `json:"incarnation,omitempty"` // of the topic there
	Partitions  map[int32]Coordinates `json:"partitions"`
}

// Coordinates are an offset at the origin, and a leader epoch: nothing below it is of a higher one, nothing from it on of a lower one.
type Coordinates struct {
	Offset int64 `json:"offset"`
	Epoch  int32 `json:"epoch"`
}

const cutPrefix = "!cut/" // then a topic

// Cut is what was imported of a shared topic.
func (t *Topics) Cut(topic string) (Cut, bool) {
	c, ok := t.cuts[topic]
	return c, ok
}

// PutCut writes a cut, and reads it back.
func (t *Topics) PutCut(ctx context.Context, topic string, c Cut) error {
	c.Version = 1
	value, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encoding the cut of topic %s: %w", topic, err)
	}
	return t.put(ctx, cutPrefix+topic, value)
}

func (t *Topics) applyCut(topic string, value []byte) error {
	if value == nil {
		delete(t.cuts, topic)
		return nil
	}
	var c Cut
	if err := json.Unmarshal(value, &c); err != nil {
		return fmt.Errorf("decoding the cut of topic %s: %w", topic, err)
	}
	if c.Version != 1 {
		return fmt.Errorf("the cut of topic %s has version %d: a newer meshd wrote it", topic, c.Version)
	}
	t.cuts[topic] = c
	return nil
}
