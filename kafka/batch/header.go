package batch

// LastHeader is the value of the last header with the given key, and whether there is one: of several the last counts, as it does for
// Kafka's own clients (Headers.lastHeader). The value is nil where it is null, and not nil where it is empty. It is a view on the
// record, and nothing is allocated for it.
func (r Record) LastHeader(key string) (value []byte, ok bool) {
	count, rest := cutCount(r.Body[headersAt(r.Body):])
	for range count {
		var k, v []byte
		k, v, rest = header(rest)
		if string(k) == key {
			value, ok = v, true
		}
	}
	return value, ok
}

// AppendWithHeader is Append for a record that gets a header behind those that it has, in place of all that have its key. The value
// is copied. A record without headers is copied around its count.
func (b *Builder) AppendWithHeader(r Record, key string, value []byte) bool {
	at := headersAt(r.Body)
	count, headers := cutCount(r.Body[at:])
	kept, size := besides(headers, count, key)
	if !b.begin(r, at+varintSize(int64(kept)+1)+size+varintSize(int64(len(key)))+len(key)+fieldSize(value)) {
		return false
	}
	b.plain = append(b.plain, r.Body[:at]...)
	b.plain = appendVarint(b.plain, kept+1)
	if kept == count {
		b.plain = append(b.plain, headers...)
	} else {
		b.plain = appendBesides(b.plain, headers, count, key)
	}
	b.plain = append(appendVarint(b.plain, int32(len(key))), key...)
	b.plain = appendField(b.plain, value)
	return true
}

// besides is how many of the headers have another key, and how many bytes these take.
func besides(headers []byte, count int32, key string) (kept int32, size int) {
	for range count {
		k, _, rest := header(headers)
		if string(k) != key {
			kept, size = kept+1, size+len(headers)-len(rest)
		}
		headers = rest
	}
	return kept, size
}

// appendBesides appends the headers that have another key.
func appendBesides(dst, headers []byte, count int32, key string) []byte {
	for range count {
		k, _, rest := header(headers)
		if string(k) != key {
			dst = append(dst, headers[:len(headers)-len(rest)]...)
		}
		headers = rest
	}
	return dst
}

// header splits the first one off sound headers.
func header(b []byte) (key, value, rest []byte) {
	key, rest = field(b)
	value, rest = field(rest)
	return key, value, rest
}

// cutCount splits their number off sound headers.
func cutCount(b []byte) (count int32, headers []byte) {
	count, n := varint(b)
	return count, b[n:]
}
