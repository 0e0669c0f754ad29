package mm2

import "time"

// Heartbeat says that the link from Source to Target was alive at a time.
type Heartbeat struct {
	Source string    // alias
	Target string    // alias
	At     time.Time // to the millisecond, not before 1970; decoded as UTC
}

// Encode returns the record's key and value.
func (h Heartbeat) Encode() (key, value []byte, err error) {
	var k, v writer
	k.string("source", h.Source)
	k.string("target", h.Target)
	v.int16(version)
	v.natural("timestamp", h.At.UnixMilli())
	v.int64(h.At.UnixMilli())
	return both(&k, &v, "heartbeat")
}

// DecodeHeartbeat reads a record of a heartbeats topic.
func DecodeHeartbeat(key, value []byte) (Heartbeat, error) {
	k, v := read(key), read(value)
	v.version()
	h := Heartbeat{Source: k.string("source"), Target: k.string("target"), At: time.UnixMilli(v.int64("timestamp")).UTC()}
	if err := ends(k, v, "heartbeat"); err != nil {
		return Heartbeat{}, err
	}
	return h, nil
}
