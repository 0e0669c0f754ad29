package loop

import (
	"encoding/base64"
	"errors"
	"fmt"
)

// ClusterID is a Kafka cluster id in the form that the header carries: a length byte and the id. Kafka's own ids are 16 bytes, written
// as 22 characters of base64url (org.apache.kafka.common.Uuid): they have length byte 0 and are kept as those 16 bytes. Any other
// id of up to 64 bytes is kept as it is. Two ids have the same form only if they are the same.
type ClusterID string

// MaxClusterID is the length of the longest cluster id, in bytes.
const MaxClusterID = 64

const uuidBytes = 16

// ErrClusterID means that a cluster id is empty or too long.
var ErrClusterID = errors.New("a cluster id has 1 to 64 bytes")

// NewClusterID takes an id as Kafka tells it.
func NewClusterID(id string) (ClusterID, error) {
	if raw, err := base64.RawURLEncoding.Strict().DecodeString(id); err == nil && len(raw) == uuidBytes {
		return ClusterID("\x00" + string(raw)), nil
	}
	if id == "" || len(id) > MaxClusterID {
		return "", fmt.Errorf("cluster id of %d bytes: %w", len(id), ErrClusterID)
	}
	return ClusterID(string(rune(len(id))) + id), nil
}

// String is the id as Kafka tells it.
func (c ClusterID) String() string {
	switch {
	case c == "":
		return ""
	case c[0] == 0:
		return base64.RawURLEncoding.EncodeToString([]byte(c[1:]))
	}
	return string(c[1:])
}

// cutID splits the form of an id off b.
func cutID(b []byte) (id, rest []byte, err error) {
	if len(b) == 0 {
		return nil, nil, ErrShort
	}
	n := int(b[0])
	switch {
	case n == 0:
		n = uuidBytes
	case n > MaxClusterID:
		return nil, nil, ErrCorrupt
	}
	if len(b) < 1+n {
		return nil, nil, ErrShort
	}
	return b[:1+n], b[1+n:], nil
}

// Origin is a cluster where records were first produced, as a small number that holds within one process.
type Origin int32

// Origins gives numbers to cluster ids. A cluster that was rebuilt has another id, and so is another origin.
type Origins struct {
	ids     []ClusterID
	numbers map[ClusterID]Origin
}

// Number returns the number of a cluster, a new one if it was never met.
func (o *Origins) Number(id ClusterID) Origin {
	if n, ok := o.numbers[id]; ok {
		return n
	}
	if o.numbers == nil {
		o.numbers = map[ClusterID]Origin{}
	}
	n := Origin(len(o.ids))
	o.ids, o.numbers[id] = append(o.ids, id), n
	return n
}

// Find returns the number of the cluster that a header names. It does not allocate.
func (o *Origins) Find(id []byte) (Origin, bool) {
	n, ok := o.numbers[ClusterID(id)]
	return n, ok
}

// ID is the cluster that a number stands for.
func (o *Origins) ID(n Origin) ClusterID { return o.ids[n] }

// Len is how many there are.
func (o *Origins) Len() int { return len(o.ids) }
