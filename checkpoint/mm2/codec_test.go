package mm2

import (
	"encoding/hex"
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

// The bytes in these tests were printed by the Java classes of Apache Kafka 4.3.0: serializeKey and serializeValue of
// Checkpoint, Heartbeat and OffsetSync.

type record interface {
	Encode() (key, value []byte, err error)
}

var golden = []struct {
	name, key, value string
	record           record
}{
	{
		"checkpoint", "0003677270000a7072696d6172792e743100000003", "000000000000000003e8000000000000038400046d657461",
		Checkpoint{"grp", "primary.t1", 3, 1000, 900, "meta"},
	},
	{
		"checkpoint, two- and four-byte runes, no metadata", "000c6772c3bc70706520f09f988000017400000000",
		"0000000000000000000000000000000000000000",
		Checkpoint{"grüppe 😀", "t", 0, 0, 0, ""},
	},
	{
		"checkpoint at the limits", "000167000975732e6f72646572737fffffff", "00007fffffffffffffff7ffffffffffffffe00036d006e",
		Checkpoint{"g", "us.orders", math.MaxInt32, math.MaxInt64, math.MaxInt64 - 1, "m\x00n"},
	},
	{
		"heartbeat", "0002757300026575", "00000000018bcfe5687b",
		Heartbeat{"us", "eu", time.UnixMilli(1700000000123).UTC()},
	},
	{
		"offset sync", "00066f726465727300000007", "00000000000003e80000000000000384",
		OffsetSync{"orders", 7, 1000, 900},
	},
}

func decode(like record, key, value []byte) (r record, err error) {
	switch like.(type) {
	case Checkpoint:
		r, err = DecodeCheckpoint(key, value)
	case Heartbeat:
		r, err = DecodeHeartbeat(key, value)
	case OffsetSync:
		r, err = DecodeOffsetSync(key, value)
	}
	return r, err
}

func TestGoldenBytes(t *testing.T) {
	for _, tt := range golden {
		t.Run(tt.name, func(t *testing.T) {
			key, value, err := tt.record.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if hex.EncodeToString(key) != tt.key || hex.EncodeToString(value) != tt.value {
				t.Errorf("encoded as\n%x %x, want\n%s %s", key, value, tt.key, tt.value)
			}
			got, err := decode(tt.record, unhex(t, tt.key), unhex(t, tt.value))
			if err != nil || got != tt.record {
				t.Errorf("decoded as %+v (%v), want %+v", got, err, tt.record)
			}
		})
	}
}

// Every prefix of a good record, and every good record with a byte more, must be refused, on either side.
func TestDecodeRefusesOtherLengths(t *testing.T) {
	for _, tt := range golden {
		key, value := unhex(t, tt.key), unhex(t, tt.value)
		for n := range key {
			refused(t, tt.record, key[:n], value, ErrShort)
		}
		for n := range value {
			refused(t, tt.record, key, value[:n], ErrShort)
		}
		refused(t, tt.record, append(key, 0), value, ErrTrailing)
		refused(t, tt.record, key, append(value, 0), ErrTrailing)
		refused(t, tt.record, nil, value, ErrNull)
		refused(t, tt.record, key, nil, ErrNull)
	}
}

func TestDecodeRefusesOtherContent(t *testing.T) {
	tests := []struct {
		name, key, value string
		like             record
		want             error
	}{
		{"checkpoint version 1", golden[0].key, "0001" + golden[0].value[4:], Checkpoint{}, ErrVersion},
		{"heartbeat version -1", golden[3].key, "ffff" + golden[3].value[4:], Heartbeat{}, ErrVersion},
		{"negative length", "ffff" + golden[0].key[4:], golden[0].value, Checkpoint{}, ErrRange},
		{"negative partition", golden[0].key[:34] + "ffffffff", golden[0].value, Checkpoint{}, ErrRange},
		{"negative downstream", golden[4].key, golden[4].value[:16] + "ffffffffffffffff", OffsetSync{}, ErrRange},
		{"negative time", golden[3].key, "0000ffffffffffffffff", Heartbeat{}, ErrRange},
		{"not UTF-8", "0003ff7270" + golden[0].key[10:], golden[0].value, Checkpoint{}, ErrRange},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { refused(t, tt.like, unhex(t, tt.key), unhex(t, tt.value), tt.want) })
	}
}

func TestEncodeRefuses(t *testing.T) {
	long := strings.Repeat("x", math.MaxInt16+1)
	for name, r := range map[string]record{
		"a long group":          Checkpoint{Group: long},
		"a long metadata":       Checkpoint{Metadata: long},
		"a negative partition":  Checkpoint{Partition: -1},
		"a negative upstream":   Checkpoint{Upstream: -1},
		"a negative downstream": OffsetSync{Downstream: -1},
		"a time before 1970":    Heartbeat{At: time.UnixMilli(-1)},
		"an invalid string":     Heartbeat{Source: "\xff"},
	} {
		if _, _, err := r.Encode(); !errors.Is(err, ErrRange) {
			t.Errorf("%s: got error %v, want %v", name, err, ErrRange)
		}
	}
	if _, _, err := (Checkpoint{Group: long[1:]}).Encode(); err != nil {
		t.Errorf("the longest group is refused: %v", err)
	}
}

func refused(t *testing.T, like record, key, value []byte, want error) {
	t.Helper()
	if r, err := decode(like, key, value); !errors.Is(err, want) {
		t.Errorf("%T of %x %x: got %+v, error %v, want %v", like, key, value, r, err, want)
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestNames(t *testing.T) {
	for got, want := range map[string]string{
		CheckpointsTopic("us"): "us.checkpoints.internal", Heartbeats: "heartbeats", RemoteHeartbeats("us"): "us.heartbeats",
		OffsetSyncsTopic("eu"): "mm2-offset-syncs.eu.internal", OffsetsTopic("us"): "mm2-offsets.us.internal",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
