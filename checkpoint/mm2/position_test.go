package mm2

import (
	"errors"
	"testing"
)

// The first key and value were printed by Connect's JsonConverter of Apache Kafka 4.3.0 for what MirrorUtils wraps.
func TestDecodePosition(t *testing.T) {
	const key = `["MirrorSourceConnector",{"cluster":"us","partition":7,"topic":"orders"}]`
	at := func(next int64) Position { return Position{Cluster: "us", Topic: "orders", Partition: 7, Next: next} }
	tests := []struct {
		name, key, value string
		want             Position
		err              error // a particular one
		fails            bool  // any
	}{
		{
			name: "as Connect writes it", key: `["MirrorSourceConnector",{"cluster":"us","partition":7,"topic":"or\"dérs.€"}]`,
			value: `{"offset":12345678901}`, want: Position{"us", `or"dérs.€`, 7, 12345678902},
		},
		{name: "offset 0 was copied", key: key, value: `{"offset":0}`, want: at(1)},
		{
			name: "another order of fields", key: ` ["MirrorSourceConnector", {"topic":"orders","partition":7,"cluster":"us"}] `,
			value: `{"offset":4}`, want: at(5),
		},
		{name: "taken back", key: key, want: at(NoPosition)},
		{name: "null", key: key, value: "null", want: at(NoPosition)},
		{name: "no offset", key: key, value: `{}`, want: at(NoPosition)},
		{name: "null offset", key: key, value: `{"offset":null}`, want: at(NoPosition)},
		{name: "negative offset", key: key, value: `{"offset":-1}`, want: at(NoPosition)},
		{
			name: "checkpoint connector", key: `["MirrorCheckpointConnector",{"partition":3,"topic":"t1","group":"grp"}]`,
			value: `{"offset":0}`, err: ErrOtherConnector,
		},
		{
			name: "heartbeat connector", key: `["MirrorHeartbeatConnector",{"sourceClusterAlias":"a","targetClusterAlias":"b"}]`,
			value: `{"offset":0}`, err: ErrOtherConnector,
		},
		{name: "last offset of all", key: key, value: `{"offset":9223372036854775807}`, err: ErrRange},
		{name: "offset too large", key: key, value: `{"offset":9223372036854775808}`, fails: true},
		{name: "offset not whole", key: key, value: `{"offset":1.5}`, fails: true},
		{name: "offset in words", key: key, value: `{"offset":"1"}`, fails: true},
		{name: "two values", key: key, value: `{"offset":1}{"offset":2}`, err: ErrTrailing},
		{name: "garbage value", key: key, value: "\x00\x01", fails: true},
		{name: "null key", value: `{"offset":0}`, err: ErrNull},
		{name: "not an array", key: `{}`, value: `{"offset":0}`, fails: true},
		{name: "one element", key: `["MirrorSourceConnector"]`, err: ErrRange},
		{name: "no topic", key: `["MirrorSourceConnector",{"cluster":"us","partition":7}]`, err: ErrShort},
		{name: "null topic", key: `["MirrorSourceConnector",{"cluster":"us","partition":7,"topic":null}]`, err: ErrShort},
		{name: "other capitals", key: `["MirrorSourceConnector",{"cluster":"us","partition":7,"Topic":"orders"}]`, err: ErrShort},
		{name: "a field more", key: `["MirrorSourceConnector",{"cluster":"us","partition":7,"topic":"orders","x":1}]`, err: ErrRange},
		{name: "negative partition", key: `["MirrorSourceConnector",{"cluster":"us","partition":-7,"topic":"orders"}]`, err: ErrRange},
		{name: "partition too large", key: `["MirrorSourceConnector",{"cluster":"us","partition":2147483648,"topic":"t"}]`, fails: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := DecodePosition(bytesOrNil(tt.key), bytesOrNil(tt.value))
			switch {
			case tt.err != nil && !errors.Is(err, tt.err):
				t.Errorf("got error %v, want %v", err, tt.err)
			case tt.fails && err == nil:
				t.Error("got no error")
			case tt.err == nil && !tt.fails && (err != nil || got != tt.want):
				t.Errorf("got %+v, error %v, want %+v", got, err, tt.want)
			}
		})
	}
}

func bytesOrNil(s string) []byte {
	if s == "" {
		return nil
	}
	return []byte(s)
}
