package batch

import "iter"

// Record is a view on one record. Body is what follows the offset delta in Kafka's record: key, value and headers with their
// lengths, to be copied as it is. A Reader yields only records whose Body is sound; the accessors rely on it.
type Record struct {
	Offset     int64
	Timestamp  int64 // milliseconds since 1970 as readers see it; -1 where the record has none
	Attributes byte  // no bit has a meaning yet
	Body       []byte
}

// Key is nil for a null key, and not nil for an empty one.
func (r Record) Key() []byte {
	key, _ := field(r.Body)
	return key
}

// Value is nil for a null value, and not nil for an empty one.
func (r Record) Value() []byte {
	_, rest := field(r.Body)
	value, _ := field(rest)
	return value
}

// Headers yields the keys and values of the headers, in their order. The value of a header can be null, which is nil.
func (r Record) Headers() iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		count, rest := cutCount(r.Body[headersAt(r.Body):])
		for range count {
			var key, value []byte
			key, value, rest = header(rest)
			if !yield(key, value) {
				return
			}
		}
	}
}

// headersAt is where the count of the headers stands in a sound body.
func headersAt(body []byte) int {
	_, rest := field(body)
	_, rest = field(rest)
	return len(body) - len(rest)
}

// field splits a length and as many bytes off a sound body; a negative length is null.
func field(b []byte) (value, rest []byte) {
	size, n := varint(b)
	if size < 0 {
		return nil, b[n:]
	}
	end := n + int(size)
	return b[n:end:end], b[end:]
}

// soundBody says whether b is a key, a value, and as many headers as it says, and nothing after them.
func soundBody(b []byte) bool {
	rest, ok := skipField(b, true)
	if ok {
		rest, ok = skipField(rest, true)
	}
	headers, n := varint(rest)
	if !ok || n == 0 || headers < 0 {
		return false
	}
	rest = rest[n:]
	for range headers { // each takes two bytes at least, so a false count ends with the bytes
		if rest, ok = skipField(rest, false); ok {
			rest, ok = skipField(rest, true)
		}
		if !ok {
			return false
		}
	}
	return len(rest) == 0
}

// skipField is field for bytes that may not be sound. Kafka's own reader takes any negative length for null.
func skipField(b []byte, nullable bool) (rest []byte, ok bool) {
	size, n := varint(b)
	if n == 0 || size < 0 && !nullable {
		return nil, false
	}
	rest = b[n:]
	if size <= 0 {
		return rest, true
	}
	if int(size) > len(rest) {
		return nil, false
	}
	return rest[size:], true
}

// appendHead appends what stands before the body of a record.
func appendHead(dst []byte, attributes byte, timeDelta int64, offsetDelta int32, body int) []byte {
	dst = appendVarint(dst, int32(headSize(timeDelta, offsetDelta)+body))
	dst = append(dst, attributes)
	return appendVarint(appendVarlong(dst, timeDelta), offsetDelta)
}

// headSize is what a record's length counts beside the body: attributes and deltas.
func headSize(timeDelta int64, offsetDelta int32) int {
	return 1 + varintSize(timeDelta) + varintSize(int64(offsetDelta))
}

// recordSize is the size of a record with its length.
func recordSize(timeDelta int64, offsetDelta int32, body int) int {
	size := headSize(timeDelta, offsetDelta) + body
	return varintSize(int64(size)) + size
}

func appendField(dst, value []byte) []byte {
	if value == nil {
		return appendVarint(dst, -1)
	}
	return append(appendVarint(dst, int32(len(value))), value...)
}

// fieldSize is the number of bytes that appendField takes.
func fieldSize(value []byte) int {
	if value == nil {
		return 1
	}
	return varintSize(int64(len(value))) + len(value)
}
