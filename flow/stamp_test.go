package flow

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/rand/v2"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"

	"github.com/meshd/meshd/kafka/batch"
	"github.com/meshd/meshd/loop"
)

// stamp opens a batch and stamps it.
func (c *recoder) stamp(b batch.Batch, from int64, ask verdict) ([]piece, error) {
	if err := c.open(b); err != nil {
		return nil, err
	}
	return c.stampOpen(b, from, ask)
}

var errEnough = errors.New("enough")

// script is a verdict that was drawn, and what is to come of it.
type script struct {
	t    *rapid.T
	rows []row // to be asked about
	want []row
	stop bool
	at   int
	buf  []byte // one for all values, as a caller has it
}

func (s *script) ask(offset int64, header []byte, stamped bool) (take bool, value []byte, err error) {
	if s.stop || s.at == len(s.rows) {
		s.t.Fatalf("asked about offset %d after the end", offset)
	}
	r := s.rows[s.at]
	s.at++
	if h, ok := lastOf(r); offset != r.Offset || stamped != ok || !bytes.Equal(header, h) || (header == nil) != (h == nil) {
		s.t.Fatalf("asked about offset %d with %q, %t, not %d with %q, %t", offset, header, stamped, r.Offset, h, ok)
	}
	switch rapid.SampledFrom([]string{"skip", "take", "stamp", "stamp", "stamp", "empty", "stop"}).Draw(s.t, "verdict") {
	case "skip":
		return false, nil, nil
	case "stop":
		if s.stop = rapid.Bool().Draw(s.t, "truly"); s.stop {
			return true, []byte("not taken"), errEnough
		}
	case "empty":
		value = []byte{}
	case "stamp":
		s.buf = append(s.buf[:0], rapid.SliceOfN(rapid.Byte(), 1, 40).Draw(s.t, "value")...)
		value = s.buf
	}
	s.want = append(s.want, stampedRow(r, bytes.Clone(value)))
	return true, value, nil
}

// What a verdict says of each record is what becomes of it, as kgo reads it, also where the batch is cut into small pieces.
func TestStampAgainstModel(t *testing.T) {
	rec := newRecoder()
	rapid.Check(t, func(t *rapid.T) {
		rows, codec := drawRows(t), rapid.SampledFrom(codecs).Draw(t, "codec")
		b := encode(t, codec, rows)
		source := bytes.Clone(b)
		skip := rapid.SampledFrom([]int{0, 0, len(rows) / 2, len(rows)}).Draw(t, "before the beginning")
		s := &script{t: t, rows: rows[skip:]}
		from := int64(0)
		if skip > 0 {
			from = rows[skip-1].Offset + 1
		}
		pieces, err := drawStamp(t, rec, b, from, s)
		checkStop(t, s, err)
		if len(pieces) > 1 || len(s.want) == 0 && pieces != nil {
			t.Fatalf("%d pieces", len(pieces))
		}
		wantRows(t, decodeAll(t, pieces), s.want)
		cut, err := rec.cutAll(pieces, 150)
		if err != nil {
			t.Fatalf("cutting: %v", err)
		}
		for _, p := range cut {
			if len(p.data) > 150 && p.data.Count() > 1 {
				t.Fatalf("%d records in %d bytes", p.data.Count(), len(p.data))
			}
		}
		wantRows(t, decodeAll(t, cut), s.want)
		if !bytes.Equal(source, b) {
			t.Fatalf("the source was changed")
		}
	})
}

// drawStamp stamps at once, or after a look at the ends.
func drawStamp(t *rapid.T, rec *recoder, b batch.Batch, from int64, s *script) ([]piece, error) {
	if rapid.Bool().Draw(t, "at once") {
		return rec.stamp(b, from, s.ask)
	}
	first, last, err := rec.ends(b)
	if err != nil {
		t.Fatalf("ends: %v", err)
	}
	all := decode(t, b)
	for r, want := range map[*batch.Record]row{&first: all[0], &last: all[len(all)-1]} {
		value, ok := r.LastHeader(loop.HeaderKey)
		if w, has := lastOf(want); r.Offset != want.Offset || ok != has || !bytes.Equal(value, w) {
			t.Fatalf("an end at offset %d with %q, %t, not %d with %q, %t", r.Offset, value, ok, want.Offset, w, has)
		}
	}
	return rec.stampOpen(b, from, s.ask)
}

func checkStop(t *rapid.T, s *script, err error) {
	t.Helper()
	stop, ok := errors.AsType[*stopError](err)
	switch {
	case s.stop && (!ok || !errors.Is(err, errEnough) || int64(stop.at) != s.rows[s.at-1].Offset):
		t.Fatalf("stopped with %v", err)
	case !s.stop && (err != nil || s.at != len(s.rows)):
		t.Fatalf("%d of %d records were asked about: %v", s.at, len(s.rows), err)
	}
}

// Where no record can have a header, or one lies, nothing comes of a batch.
func TestStampRefuses(t *testing.T) {
	rec := newRecoder()
	never := func(int64, []byte, bool) (bool, []byte, error) { return true, nil, errors.New("asked") }
	old := kmsg.MessageV1{Magic: 1, Value: []byte("v")}
	for name, c := range map[string]struct {
		b    batch.Batch
		want error
	}{
		"an old format":   {old.AppendTo(nil), errOldFormat},
		"a control batch": {marked(built(t, batch.None, 1)), batch.ErrControl},
	} {
		if p, err := rec.stamp(c.b, 0, never); p != nil || !errors.Is(err, c.want) {
			t.Errorf("%s: %v, %v", name, p, err)
		}
		if _, _, err := rec.ends(c.b); !errors.Is(err, c.want) {
			t.Errorf("%s: its ends: %v", name, err)
		}
	}
	for _, at := range []int{61, 61 + 9} { // the first record's length, and its value's
		b := bytes.Clone(built(t, batch.None, 2))
		b[at] = 0x7f
		p, err := rec.stamp(b, 0, func(int64, []byte, bool) (bool, []byte, error) { return true, []byte("x"), nil })
		if _, ok := errors.AsType[*batch.CorruptError](err); p != nil || !ok {
			t.Errorf("byte %d: %v, %v", at, p, err)
		}
	}
}

// marked makes it a control batch.
func marked(b batch.Batch) batch.Batch {
	b[22] |= 0x20
	return b
}

// A batch that its headers make larger than a topic takes is cut, compressed or not; one that was larger at the source may stay so.
func TestStampCuts(t *testing.T) {
	for _, codec := range codecs {
		for _, n := range []int{8_000, 30_000} { // of 100 bytes each
			rows := hardRows(n)
			b := encode(t, codec, rows)
			rec, asked := newRecoder(), 0
			rng := rand.New(rand.NewPCG(3, 4))
			var want []row
			pieces, err := rec.stamp(b, 0, func(int64, []byte, bool) (bool, []byte, error) {
				value := random(rng, 60)
				want = append(want, stampedRow(rows[asked], value))
				asked++
				return true, value, nil
			})
			if err != nil || len(pieces) < 2 {
				t.Fatalf("%s: %d pieces of %d bytes: %v", codec, len(pieces), len(b), err)
			}
			for _, p := range pieces {
				if most := max(len(b), 1<<20); len(p.data) > most {
					t.Errorf("%s: a piece of %d bytes, of a batch of %d", codec, len(p.data), len(b))
				}
				if c := cap(p.data); c > len(p.data)*5/4+64 {
					t.Errorf("%s: %d bytes hold a piece of %d", codec, c, len(p.data))
				}
			}
			wantRows(t, decodeAll(t, pieces), want)
		}
	}
}

// hardRows are records of 100 bytes that hardly compress.
func hardRows(n int) []row {
	rng := rand.New(rand.NewPCG(1, 2))
	rows := make([]row, n)
	for i := range rows {
		rows[i] = row{Offset: int64(i), Timestamp: 1_700_000_000_000, Value: append(random(rng, 85), "0123456789abcde"...)}
	}
	return rows
}

func random(rng *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// Pieces have memory of their own, and no more of it than they need, also where many records are left out.
func TestStampedBatchesAreTheirOwn(t *testing.T) {
	rec := newRecoder()
	half := func(offset int64, _ []byte, _ bool) (bool, []byte, error) { return offset%2 == 0, []byte("value"), nil }
	for _, codec := range codecs {
		for _, b := range []batch.Batch{built(t, codec, 1000), encode(t, codec, hardRows(20_000))} {
			first, err := rec.stamp(b, 0, half)
			if err != nil || len(first) != 1 {
				t.Fatal(len(first), err)
			}
			before := bytes.Clone(first[0].data)
			second, err := rec.stamp(b, 0, half)
			if err != nil || !bytes.Equal(first[0].data, before) || !bytes.Equal(second[0].data, before) {
				t.Fatalf("%s: the same records make other batches: %v", codec, err)
			}
			if c := cap(first[0].data); c > len(before)*5/4+64 {
				t.Errorf("%s: %d bytes hold a batch of %d", codec, c, len(before))
			}
		}
	}
}

// No byte makes it panic, and what is taken is as many records as were said to be.
func FuzzStamp(f *testing.F) {
	rows := []row{
		{Offset: 5, Timestamp: 7, Key: []byte("k"), Value: []byte("v")},
		{Offset: 6, Timestamp: 8, Headers: []kmsg.Header{{Key: "a"}, {Key: loop.HeaderKey, Value: []byte("x")}, {Key: loop.HeaderKey}}},
		{Offset: 9, Timestamp: 8, Headers: []kmsg.Header{{Key: loop.HeaderKey, Value: []byte{}}}},
	}
	for _, codec := range codecs {
		f.Add([]byte(encode(f, codec, rows)), int64(6), uint64(0b1011))
	}
	rec := &recoder{r: batch.NewReader(1 << 20), b: batch.NewBuilder()}
	f.Fuzz(func(t *testing.T, data []byte, from int64, plan uint64) {
		b, _, err := batch.Next(sealed(data))
		if err != nil {
			return
		}
		_, _, endsErr := rec.ends(b)
		taken, n := int32(0), 0
		pieces, err := rec.stamp(b, from, func(int64, []byte, bool) (bool, []byte, error) {
			step := plan >> (2 * (n % 32)) & 3
			n++
			if step > 0 {
				taken++
			}
			return step > 0, [][]byte{nil, nil, {}, []byte("value")}[step], nil
		})
		if err == nil && endsErr != nil {
			t.Fatalf("all records can be read, and the ends can't: %v", endsErr)
		}
		for _, p := range pieces {
			if err := newRecoder().check(p.data); err != nil {
				t.Fatalf("a piece that no broker should get: %v", err)
			}
			taken -= p.data.Count()
		}
		if err == nil && taken != 0 {
			t.Fatalf("%d records are lost", taken)
		}
	})
}

// sealed gives the first batch in data a true CRC, where its length allows.
func sealed(data []byte) []byte {
	if len(data) < 61 || batch.Batch(data).Size() < 61 || batch.Batch(data).Size() > len(data) {
		return data
	}
	data = bytes.Clone(data)
	b := data[:batch.Batch(data).Size()]
	binary.BigEndian.PutUint32(b[17:], crc32.Checksum(b[21:], crc32.MakeTable(crc32.Castagnoli)))
	return data
}
