package wire

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

// Request is a request on its way to a broker.
type Request struct {
	Client string
	Key    int16  // which kind of request it is (kmsg.Key)
	Frame  []byte // all of it, with the four bytes of its size
}

// Contains says whether some bytes are anywhere in the request.
func (r Request) Contains(part []byte) bool { return bytes.Contains(r.Frame, part) }

// beforeClient is what stands before the client id in a request: size, API key, version and correlation id
// (https://kafka.apache.org/protocol#protocol_messages).
const beforeClient = 4 + 2 + 2 + 4

// ClientID returns the client id that the first request of a connection carries, and takes nothing from the reader. Its error is the
// reader's.
func ClientID(in *bufio.Reader) (string, error) {
	head, err := in.Peek(beforeClient + 2)
	if err != nil {
		return "", err
	}
	size := max(int(int16(binary.BigEndian.Uint16(head[beforeClient:]))), 0) // -1: no client id
	head, err = in.Peek(beforeClient + 2 + size)
	if err != nil {
		return "", err
	}
	return string(head[beforeClient+2:]), nil
}

const largestRequest = 200 << 20

// readRequest reads a whole request.
func readRequest(in *bufio.Reader, client string) (Request, error) {
	head, err := in.Peek(beforeClient)
	if err != nil {
		return Request{}, err
	}
	size := int64(binary.BigEndian.Uint32(head))
	if size < beforeClient-4 || size > largestRequest {
		return Request{}, fmt.Errorf("a request of %d bytes", size)
	}
	r := Request{Client: client, Key: int16(binary.BigEndian.Uint16(head[4:])), Frame: make([]byte, 4+size)}
	if _, err = io.ReadFull(in, r.Frame); err != nil {
		return Request{}, err
	}
	return r, nil
}
