package flow

import (
	"errors"
	"fmt"

	"github.com/meshd/meshd/kafka/batch"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
)

// stampUpTo is the size above which a stamped batch is cut, unless its source was larger: what a topic takes where nobody changed
// max.message.bytes, less 12 bytes. Producers fill batches up to that limit, and a header for each record takes them beyond it.
const stampUpTo = 1 << 20

// stampRoom is what a header takes in a record, with the id that Kafka gives to clusters: two lengths, its key, its value, and what the
// record's own length grows by.
const stampRoom = 1 + len(loop.HeaderKey) + 1 + 32 + 1

// verdict is asked for each record of a batch, once and in their order: its offset, the value of its last header named loop.HeaderKey,
// and whether it has one. It says whether the record is taken, and the value that it gets in place of all headers of that name; nil is
// the record as it is. The header is valid until it returns, the value need not be longer than until it is asked again. An error ends
// the batch before this record.
type verdict func(offset int64, header []byte, stamped bool) (take bool, value []byte, err error)

// stopError is what a verdict ended a batch with. What was built of the records before it is good.
type stopError struct {
	at  offsetxlate.Source
	why error
}

func (e *stopError) Error() string { return fmt.Sprintf("stopped at offset %d: %v", e.at, e.why) }

func (e *stopError) Unwrap() error { return e.why }

var errOldFormat = errors.New("records of message formats before v2 have no headers")

// ends opens a batch and returns its first and its last record; what lies between is not looked at. stampOpen may follow.
func (c *recoder) ends(b batch.Batch) (first, last batch.Record, err error) {
	if err := c.open(b); err != nil {
		return first, last, err
	}
	return c.r.Ends()
}

// open opens a batch whose records are looked at.
//
// Errors: errOldFormat, batch.ErrControl and those of batch.Reader.
func (c *recoder) open(b batch.Batch) error {
	switch batch.CopyReason(b) {
	case batch.RewriteOldFormat:
		return errOldFormat
	case batch.SkipControl:
		return batch.ErrControl
	default:
		return c.r.Reset(b)
	}
}

// stampOpen makes a batch of those records of b, which is open, from offset from on, that are taken, with the codec of b; more than one where it
// would be too large, and none where nothing is taken. Offsets have no gaps in it, and runs are those of recode.
//
// Errors: *stopError, beside what was built; those of batch.Reader, beside nothing.
func (c *recoder) stampOpen(b batch.Batch, from int64, ask verdict) ([]piece, error) {
	s := stamper{recoder: c, codec: b.Codec(), most: max(len(b), stampUpTo), room: len(b) + int(b.Count())*stampRoom}
	c.r.SkipTo(from)
	stop, err := s.fill(ask)
	if err == nil {
		err = s.end()
	}
	if err == nil {
		s.pieces, err = c.cutAll(s.pieces, s.most)
	}
	if err != nil {
		return nil, err
	}
	return s.pieces, stop
}

// stamper builds what becomes of one batch.
type stamper struct {
	*recoder
	codec  batch.Codec
	most   int  // bytes of a piece
	begun  bool // a piece is
	room   int  // what the records that are left take, about, where they are not compressed
	pieces []piece
}

// fill takes the records that are wanted.
func (s *stamper) fill(ask verdict) (stop, err error) {
	for s.r.Next() {
		r := s.r.Record()
		header, stamped := r.LastHeader(loop.HeaderKey)
		take, value, err := ask(r.Offset, header, stamped)
		if err != nil {
			return &stopError{offsetxlate.Source(r.Offset), err}, nil
		}
		if !take {
			continue
		}
		if err := s.add(r, value); err != nil {
			return nil, err
		}
	}
	return nil, s.r.Err()
}

func (s *stamper) add(r batch.Record, value []byte) error {
	if !s.begun {
		s.begin()
	}
	if s.append(r, value) {
		return nil
	}
	if err := s.end(); err != nil {
		return err
	}
	s.begin()
	s.append(r, value) // a batch takes its first record whatever its size
	return nil
}

func (s *stamper) append(r batch.Record, value []byte) bool {
	if value == nil {
		return s.b.Append(r)
	}
	return s.b.AppendWithHeader(r, loop.HeaderKey, value)
}

// begin begins a piece. Where it is not compressed there is room for all of it at once.
func (s *stamper) begin() {
	s.begun = true
	if s.codec != batch.None {
		s.recoder.begin(s.codec, maxPlain)
		return
	}
	if room := min(s.room, s.most); cap(s.buf) < room {
		s.buf = make([]byte, 0, room)
	}
	s.recoder.begin(batch.None, s.most)
}

// end ends the piece that is open, if one is.
func (s *stamper) end() error {
	if !s.begun {
		return nil
	}
	s.begun = false
	runs := s.runs()
	data, err := s.finish()
	if err != nil {
		return err
	}
	s.pieces, s.room = append(s.pieces, piece{data, runs}), max(0, s.room-len(data))
	return nil
}
