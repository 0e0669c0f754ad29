package offsetxlate

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"testing"
)

// sealed gives a page's body its checksum.
func sealed(body ...byte) []byte {
	return binary.BigEndian.AppendUint32(bytes.Clone(body), crc32.Checksum(body, castagnoli))
}

// TestPageGolden holds the form on disk: it may only change with the version.
func TestPageGolden(t *testing.T) {
	m := drawn(t)
	must(t, m.AdvanceSource(15))
	must(t, m.AdvanceDest(14))
	pages, _ := m.EncodeSince(0)
	const want = "0103" + "0000" + "00" + "0102" + "1000" + "0801" + "060302" + "954873e8"
	if got := hex.EncodeToString(pages[0].Data); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestDecodeRefuses(t *testing.T) {
	broken := sealed(1, 3, 0, 0, 0, 0, 0)
	broken[len(broken)-1]++
	back := binary.AppendUvarint(nil, 1<<64-1)
	quarter := append(binary.AppendUvarint(nil, (1<<62-1)<<2), 0)
	huge := binary.AppendUvarint(nil, MaxOffset+1)
	most := binary.AppendUvarint(nil, MaxOffset)
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	head := []byte{version, flagFirst | flagKnown}
	for _, tc := range []struct {
		name string
		page []byte
		want error
	}{
		{"empty", nil, ErrCorrupt},
		{"head alone", head, ErrCorrupt},
		{"version 0", sealed(0, 3, 0, 0, 0, 0, 0), ErrCorrupt},
		{"a future version", sealed(2, 3, 0, 0, 0, 0, 0), ErrFuture},
		{"unknown flag", sealed(1, 7, 0, 0, 0, 0, 0), ErrCorrupt},
		{"wrong checksum", broken, ErrCorrupt},
		{"numbers missing", sealed(1, 3, 0, 0, 0, 0), ErrCorrupt},
		{"run cut", sealed(1, 3, 0, 0, 0, 0, 0, 4), ErrCorrupt},
		{"number cut", sealed(1, 3, 0, 0, 0, 0, 0, 0x80), ErrCorrupt},
		{"start out of range", sealed(join(head, huge, []byte{0, 0, 0, 0})...), ErrCorrupt},
		{"covered end out of range", sealed(join(head, most, []byte{0, 0, 1, 0})...), ErrCorrupt},
		{"skip out of range", sealed(join(head, []byte{0, 0, 0, 0, 0, 0}, huge)...), ErrCorrupt},
		{"skip goes back", sealed(join(head, []byte{5, 5, 0, 0, 0, 0}, back)...), ErrCorrupt},
		{"runs go round", sealed(join(head, []byte{5, 5, 0, 0, 0}, quarter, quarter, quarter, quarter)...), ErrCorrupt},
		{"run out of range", sealed(join(head, most, []byte{0, 0, 0, 0, 0, 0})...), ErrCorrupt},
		{"count out of range", sealed(join(head, []byte{0, 0, 0, 0, 0}, binary.AppendUvarint(nil, 1<<63), []byte{0})...), ErrCorrupt},
	} {
		if _, err := decodePage(tc.page); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, err, tc.want)
		}
		if _, err := Decode(join([]byte{version, byte(len(tc.page))}, tc.page)); !errors.Is(err, tc.want) {
			t.Errorf("%s, in a map: %v, want %v", tc.name, err, tc.want)
		}
	}
	for _, b := range [][]byte{nil, {version}, {version + 1}, {version, 200, 1, 0}, {version, 0x80}} {
		if _, err := Decode(b); !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrFuture) {
			t.Errorf("map %v: %v", b, err)
		}
	}
}

// FuzzDecodePage gives random bodies a good checksum. What decodes must answer without a panic, and come back the same.
func FuzzDecodePage(f *testing.F) {
	m := New(Point{3, 4})
	for i := range int64(300) {
		_ = m.Append(Source(3+i*11), Dest(4+i*10+i/7), 10)
	}
	m.Thin(1500, 1<<20)
	pages, _ := m.EncodeSince(0)
	for _, p := range pages {
		f.Add(p.Data[:len(p.Data)-checksumLen], int64(100))
	}
	f.Fuzz(func(t *testing.T, body []byte, x int64) {
		s, err := decodePage(sealed(body...))
		if err != nil {
			return
		}
		m, err := Load([]Page{{Start: Source(s.start[src]), Data: sealed(body...)}})
		if err != nil {
			t.Fatal(err)
		}
		again, err := Decode(m.Encode())
		if err != nil {
			t.Fatal(err)
		}
		if m.ToDest(Source(x)) != again.ToDest(Source(x)) || m.ToSource(Dest(x)) != again.ToSource(Dest(x)) || m.End() != again.End() {
			t.Fatalf("at %d: %+v and %+v", x, m.ToDest(Source(x)), again.ToDest(Source(x)))
		}
	})
}

// FuzzDecode takes anything.
func FuzzDecode(f *testing.F) {
	m := New(Point{})
	_ = m.Append(5, 7, 9)
	f.Add(m.Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Decode(b)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrFuture) {
				t.Fatalf("unclassified: %v", err)
			}
			return
		}
		m.TrimSource(m.End().Src)
		m.TrimDest(m.End().Dst)
		_ = m.ToDest(m.Start().Src)
	})
}
