package loop

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

func id(t testing.TB, s string) ClusterID {
	t.Helper()
	c, err := NewClusterID(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestHeaderGolden holds the format fast: it lies in users' records for as long as these last.
func TestHeaderGolden(t *testing.T) {
	for _, c := range []struct {
		cluster string
		at      Coordinate
		part    int32
		want    string
	}{
		{"MkU3OEVBNTcwNTJENDM2Qg", Coordinate{0, 5, 1000}, 3, "01" + "00" + "324537384541353730353244343336" + "42" + "325e96ec" + "00" + "06" + "03" + "e807"},
		{"kfake-us", Coordinate{2, -1, 0}, 0, "01" + "08" + hex.EncodeToString([]byte("kfake-us")) + "325e96ec" + "02" + "00" + "00" + "00"},
	} {
		got := AppendHeader(nil, id(t, c.cluster), TopicTag("orders"), c.part, c.at)
		if hex.EncodeToString(got) != c.want {
			t.Errorf("%s: %x, want %s", c.cluster, got, c.want)
		}
		h, err := DecodeHeader(got)
		if err != nil || h.At != c.at || h.Partition != c.part || h.Topic != TopicTag("orders") || ClusterID(h.Cluster).String() != c.cluster {
			t.Errorf("%x: %v, %v", got, h, err)
		}
	}
}

func TestHeaderRefuses(t *testing.T) {
	good := AppendHeader(nil, id(t, "kfake"), 7, 300, Coordinate{1, 2, 1 << 40})
	for n := range good {
		if _, err := DecodeHeader(good[:n]); !errors.Is(err, ErrShort) {
			t.Errorf("%d bytes of %d: %v", n, len(good), err)
		}
	}
	change := func(at int, v byte) []byte {
		b := bytes.Clone(good)
		b[at] = v
		return b
	}
	for _, c := range []struct {
		what string
		b    []byte
		want error
	}{
		{"future version", change(0, 2), ErrFuture},
		{"version 0", change(0, 0), ErrCorrupt},
		{"id of 65 bytes", change(1, 65), ErrCorrupt},
		{"more behind it", append(bytes.Clone(good), 0), ErrLong},
		{"negative incarnation", append(bytes.Clone(good[:11]), 0x80, 0x80, 0x80, 0x80, 0x08, 0, 0, 0), ErrCorrupt},
		{"varint longer than it need be", append(bytes.Clone(good[:11]), 0x81, 0x00, 0, 0, 0), ErrCorrupt},
	} {
		if _, err := DecodeHeader(c.b); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.what, err, c.want)
		}
	}
}

func TestClusterIDs(t *testing.T) {
	seen := map[ClusterID]string{}
	for _, s := range []string{"a", "MkU3OEVBNTcwNTJENDM2Qg", "MkU3OEVBNTcwNTJENDM2Qh", strings.Repeat("x", 64), strings.Repeat("x", 16), "embedded-1", "MkU3OEVBNTcwNTJENDM2Qg="} {
		c := id(t, s)
		if was, ok := seen[c]; ok || c.String() != s {
			t.Errorf("%q: %x reads as %q, and so does %q", s, string(c), c.String(), was)
		}
		seen[c] = s
	}
	for _, s := range []string{"", strings.Repeat("x", 65)} {
		if _, err := NewClusterID(s); !errors.Is(err, ErrClusterID) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestHeaderAllocatesNothing(t *testing.T) {
	cluster, buf := id(t, strings.Repeat("x", 64)), make([]byte, 0, HeaderMax)
	far := Coordinate{1<<31 - 1, 1<<31 - 2, 1<<63 - 1}
	if n := len(AppendHeader(buf, cluster, 1, 1<<31-1, far)); n != HeaderMax {
		t.Errorf("the largest header has %d bytes, HeaderMax is %d", n, HeaderMax)
	}
	if n := testing.AllocsPerRun(100, func() {
		if _, err := DecodeHeader(AppendHeader(buf, cluster, 1, 2, far)); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzDecodeHeader takes anything; what decodes is what would be written.
func FuzzDecodeHeader(f *testing.F) {
	f.Add(AppendHeader(nil, "\x05kfake", 7, 300, Coordinate{1, 2, 1 << 40}))
	f.Add(AppendHeader(nil, "\x000123456789abcdef", 7, 0, Start))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := DecodeHeader(b)
		if err != nil {
			if !errors.Is(err, ErrFuture) && !errors.Is(err, ErrShort) && !errors.Is(err, ErrLong) && !errors.Is(err, ErrCorrupt) {
				t.Fatalf("unclassified: %v", err)
			}
			return
		}
		if out := AppendHeader(nil, ClusterID(h.Cluster), h.Topic, h.Partition, h.At); !bytes.Equal(out, b) {
			t.Fatalf("%x became %x", b, out)
		}
	})
}

func BenchmarkHeader(b *testing.B) {
	cluster, buf := id(b, "MkU3OEVBNTcwNTJENDM2Qg"), make([]byte, 0, HeaderMax)
	b.ReportAllocs()
	for i := range b.N {
		if _, err := DecodeHeader(AppendHeader(buf, cluster, 1, 2, Coordinate{1, 5, int64(i)})); err != nil {
			b.Fatal(err)
		}
	}
}
