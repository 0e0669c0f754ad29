package mm2

import (
	"bytes"
	"testing"
)

// What decodes must encode to the very same bytes, and nothing may panic.
func fuzzRecord(f *testing.F, like record) {
	for _, tt := range golden {
		f.Add([]byte(tt.key), []byte(tt.value))
		if k, v, err := tt.record.Encode(); err == nil {
			f.Add(k, v)
		}
	}
	f.Fuzz(func(t *testing.T, key, value []byte) {
		r, err := decode(like, key, value)
		if err != nil {
			return
		}
		k, v, err := r.Encode()
		if err != nil || !bytes.Equal(k, key) || !bytes.Equal(v, value) {
			t.Errorf("%x %x decoded as %+v, which encodes as %x %x (%v)", key, value, r, k, v, err)
		}
	})
}

func FuzzDecodeCheckpoint(f *testing.F) { fuzzRecord(f, Checkpoint{}) }
func FuzzDecodeHeartbeat(f *testing.F)  { fuzzRecord(f, Heartbeat{}) }
func FuzzDecodeOffsetSync(f *testing.F) { fuzzRecord(f, OffsetSync{}) }

func FuzzDecodePosition(f *testing.F) {
	f.Add([]byte(`["MirrorSourceConnector",{"cluster":"us","partition":7,"topic":"t"}]`), []byte(`{"offset":1}`))
	f.Add([]byte(`["MirrorCheckpointConnector",null]`), []byte(`null`))
	f.Fuzz(func(t *testing.T, key, value []byte) {
		p, err := DecodePosition(key, value)
		if err != nil {
			return
		}
		if p.Partition < 0 || p.Next < NoPosition {
			t.Errorf("%s %s decoded as %+v", key, value, p)
		}
	})
}
