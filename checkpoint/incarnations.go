package checkpoint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Incarnation is one of the topics that bore a name at their origin, one after the other.
type Incarnation struct {
	TopicID string // see TopicID
	Number  int32  // 0 for the first, unless it is known that there was one before
}

// Claim is what somebody wants a topic's incarnation to be.
type Claim struct {
	Topic string
	Incarnation
}

// incarnationPrefix begins the keys of claims: then topic, topic id, and a word that only this claim has. So compaction takes none of them, and
// whoever reads them has them in the order in which they were made.
const incarnationPrefix = "!incarnation/"

type claimValue struct {
	Version int   `json:"v"` // 1
	Number  int32 `json:"number"`
}

// Incarnations are those of a topic of this cluster, the oldest first; none where nobody has read it yet. The caller must not change them.
func (t *Topics) Incarnations(topic string) []Incarnation { return t.incarnations[topic] }

// Claim writes claims, all at once, and reads them back with whatever others claimed before. A claim counts if its topic id has no number
// and its number is above all before; so all readers agree, and who claimed late finds in Incarnations what counts.
func (t *Topics) Claim(ctx context.Context, nonce string, claims ...Claim) error {
	rs := make([]*kgo.Record, len(claims))
	for i, c := range claims {
		value, err := json.Marshal(claimValue{1, c.Number})
		if err != nil {
			return fmt.Errorf("encoding the incarnation of topic %s: %w", c.Topic, err)
		}
		rs[i] = &kgo.Record{Topic: TopicsTopic, Key: []byte(incarnationPrefix + c.Topic + "/" + c.TopicID + "/" + nonce), Value: value}
	}
	if err := Append(ctx, t.table.Cluster, rs...); err != nil {
		return err
	}
	return t.Refresh(ctx)
}

var errClaimKey = errors.New("it does not name an incarnation")

func (t *Topics) applyClaim(key string, value []byte) error {
	parts := strings.Split(key[len(incarnationPrefix):], "/")
	if len(parts) != 3 {
		return fmt.Errorf("decoding the key %s: %w", key, errClaimKey)
	}
	if value == nil { // taken away by a person
		return nil
	}
	var v claimValue
	if err := json.Unmarshal(value, &v); err != nil {
		return fmt.Errorf("decoding an incarnation of topic %s: %w", parts[0], err)
	}
	if v.Version != 1 {
		return fmt.Errorf("an incarnation of topic %s has version %d: a newer meshd wrote it", parts[0], v.Version)
	}
	t.incarnations[parts[0]] = claimed(t.incarnations[parts[0]], Incarnation{parts[1], v.Number})
	return nil
}

// claimed adds a claim if it counts.
func claimed(all []Incarnation, c Incarnation) []Incarnation {
	for _, i := range all {
		if i.TopicID == c.TopicID || i.Number >= c.Number {
			return all
		}
	}
	return append(all, c)
}
