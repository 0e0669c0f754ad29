package validate

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"
)

// write is a header as the format says it, for tests to begin with and to spoil.
func (b birth) write() []byte {
	out := []byte{1}
	if raw, err := base64.RawURLEncoding.Strict().DecodeString(b.cluster); err == nil && len(raw) == 16 {
		out = append(append(out, 0), raw...)
	} else {
		out = append(append(out, byte(len(b.cluster))), b.cluster...)
	}
	out = binary.BigEndian.AppendUint32(out, b.topic)
	for _, x := range []uint64{uint64(b.incarnation), uint64(int64(b.epoch) + 1), uint64(b.partition), uint64(b.offset)} {
		out = binary.AppendUvarint(out, x)
	}
	return out
}

// Bytes that lie in users' records, taken apart by hand.
func TestReadBirth(t *testing.T) {
	for text, want := range map[string]birth{
		"01 00 324537384541353730353244343336 42 325e96ec 00 06 03 e807": {
			"MkU3OEVBNTcwNTJENDM2Qg", topicHash("orders"), 0, 5, 3, 1000,
		},
		"01 08 6b66616b652d7573 325e96ec 02 00 00 00":                           {"kfake-us", topicHash("orders"), 2, -1, 0, 0},
		"01 01 78 00000000 ffffffff07 ffffffff07 ffffffff07 ffffffffffffffff7f": {"x", 0, 1<<31 - 1, 1<<31 - 2, 1<<31 - 1, 1<<63 - 1},
	} {
		raw, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := readBirth(raw); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", text, got, err, want)
		}
	}
}

func TestReadBirthRefuses(t *testing.T) {
	good := birth{"kfake", 7, 1, 2, 300, 1 << 40}.write()
	for n := range good {
		if _, err := readBirth(good[:n]); !errors.Is(err, errCut) {
			t.Errorf("%d bytes of %d: %v", n, len(good), err)
		}
	}
	spoilt := func(at int, b byte) []byte {
		out := bytes.Clone(good)
		out[at] = b
		return out
	}
	numbers := 1 + 1 + len("kfake") + 4
	for name, test := range map[string]struct {
		value []byte
		want  error
	}{
		"version 2":           {spoilt(0, 2), errVersion},
		"version 0":           {spoilt(0, 0), errVersion},
		"an id of 65 bytes":   {append([]byte{1, 65}, make([]byte, 80)...), errNumber},
		"more behind":         {append(bytes.Clone(good), 0), errBehind},
		"incarnation of 2^31": {append(bytes.Clone(good[:numbers]), 0x80, 0x80, 0x80, 0x80, 0x08, 0, 0, 0), errNumber},
		"a longer form":       {append(bytes.Clone(good[:numbers]), 0x81, 0, 0, 0, 0), errNumber},
		"an endless varint":   {append(bytes.Clone(good[:numbers]), bytes.Repeat([]byte{0xff}, 11)...), errNumber},
	} {
		if _, err := readBirth(test.value); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := birth{
			cluster: rapid.StringMatching(`[a-z0-9-]{1,21}`).Draw(t, "cluster"), topic: rapid.Uint32().Draw(t, "topic"),
			incarnation: rapid.Int32Min(0).Draw(t, "incarnation"), epoch: rapid.Int32Range(-1, 1<<30).Draw(t, "epoch"),
			partition: rapid.Int32Min(0).Draw(t, "partition"), offset: rapid.Int64Min(0).Draw(t, "offset"),
		}
		if got, err := readBirth(want.write()); err != nil || got != want {
			t.Fatalf("%s, %v; want %s", got, err, want)
		}
	})
}

func TestSplitLabel(t *testing.T) {
	header := func(keys string) (all []kgo.RecordHeader) {
		for i, key := range strings.Fields(keys) {
			if key == "o" {
				key = originHeader
			}
			all = append(all, kgo.RecordHeader{Key: key, Value: []byte{byte(i)}})
		}
		return all
	}
	for keys, want := range map[string]struct {
		others string
		n      int
		last   byte
	}{
		"": {"", 0, 0}, "a b": {"a b", 0, 0}, "o": {"", 1, 0}, "a o": {"a", 1, 1}, "o a": {"a", 1, 0}, "a o b": {"a b", 1, 1},
		"a o b o c": {"a b c", 2, 3}, "o o o": {"", 3, 2},
	} {
		others, l := splitLabel(header(keys))
		var names []string
		for _, h := range others {
			names = append(names, h.Key)
		}
		if strings.Join(names, " ") != want.others || l.count() != want.n || (l != nil && l.value[0] != want.last) {
			t.Errorf("%q: %q, %+v", keys, names, l)
		}
	}
}
