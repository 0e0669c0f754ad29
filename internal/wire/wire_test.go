package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo is a server that sends back what it gets.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(c, c) // what is missing is seen by the test
				_ = c.Close()
			}()
		}
	}()
	return l.Addr().String()
}

// through connects to an echo through a network.
func through(t *testing.T, n *Network) net.Conn {
	t.Helper()
	front, err := n.Forward("127.0.0.1:0", echo(t))
	if err != nil {
		t.Fatal(err)
	}
	return dial(t, front)
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// Bytes come as they left, both ways, and not before their time.
func TestDelay(t *testing.T) {
	const delay = 30 * time.Millisecond
	n := Delayed(delay)
	defer n.Close()
	conn := through(t, n)
	sent := make([]byte, 3<<20)
	for i := range sent {
		sent[i] = byte(rand.Uint32())
	}
	began := time.Now()
	go func() { _, _ = conn.Write(sent) }() // what is missing is seen below
	got := make([]byte, 1)
	if _, err := io.ReadFull(conn, got); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 2*delay {
		t.Errorf("the first byte was back after %s, before %s", took, 2*delay)
	}
	rest := make([]byte, len(sent)-1)
	if _, err := io.ReadFull(conn, rest); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(append(got, rest...), sent) {
		t.Error("other bytes came back")
	}
}

// Close ends connections that are open, and those who use them notice.
func TestClose(t *testing.T) {
	n := New()
	conn := through(t, n)
	roundTrip(t, conn, request("a", "1"))
	n.Close()
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the connection lives on")
	}
}

// request is one as clients send it, as far as the network looks.
func request(client, body string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(8+2+len(client)+len(body)))
	b = append(b, 0, 7, 0, 1, 0, 0, 0, 9) // key 7, version 1, correlation id 9
	b = binary.BigEndian.AppendUint16(b, uint16(len(client)))
	return append(append(b, client...), body...)
}

func send(t *testing.T, c net.Conn, data []byte) {
	t.Helper()
	if _, err := c.Write(data); err != nil {
		t.Fatal(err)
	}
}

func arrives(t *testing.T, c net.Conn, want []byte) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("got %q and %v, want %q", got, err, want)
	}
}

func roundTrip(t *testing.T, c net.Conn, data []byte) {
	t.Helper()
	send(t, c, data)
	arrives(t, c, data)
}

// silent says that nothing comes for a while, the end of the connection neither.
func silent(t *testing.T, c net.Conn) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 1)); n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("it is not silent: %d bytes, %v", n, err)
	}
	if err := c.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
}

// A fault strikes the connections of its client and of no other, those that come later too.
func TestFaults(t *testing.T) {
	n := New()
	defer n.Close()
	front, err := n.Forward("127.0.0.1:0", echo(t))
	if err != nil {
		t.Fatal(err)
	}
	mine, other := dial(t, front), dial(t, front)
	roundTrip(t, mine, request("a", "1"))
	roundTrip(t, other, request("b", "1"))

	n.Strike("a", Late)
	send(t, mine, request("a", "2"))
	silent(t, mine)
	roundTrip(t, other, request("b", "2"))
	n.Strike("a", None)
	arrives(t, mine, request("a", "2"))

	n.Strike("a", Lost)
	young := dial(t, front)
	for _, c := range []net.Conn{mine, young} {
		send(t, c, request("a", "3"))
		silent(t, c)
	}
	n.Strike("a", None)
	for _, c := range []net.Conn{mine, young} {
		if _, err := c.Read(make([]byte, 1)); err == nil {
			t.Error("what was lost arrived")
		}
	}

	last := dial(t, front)
	roundTrip(t, last, request("a", "4"))
	n.Strike("a", Cut)
	if _, err := last.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("cut, it reads %v, not a reset", err)
	}
	roundTrip(t, other, request("b", "3"))
}

// A hold keeps back what matches and what follows it in its connection, and lets everything go at once.
func TestHold(t *testing.T) {
	n := New()
	defer n.Close()
	conn := through(t, n)
	h := n.Hold(func(r Request) bool { return r.Client == "a" && r.Key == 7 && r.Contains([]byte("stop")) })
	roundTrip(t, conn, request("a", "go"))
	send(t, conn, request("a", "stop here"))
	send(t, conn, request("a", "and wait"))
	silent(t, conn)
	if h.Held() != 1 {
		t.Errorf("%d requests are held, not one", h.Held())
	}
	if h.Answered() {
		t.Error("it is answered before it is released")
	}
	h.Release()
	arrives(t, conn, request("a", "stop here"))
	if !h.Answered() {
		t.Error("it is not answered, although the answer is there")
	}
	arrives(t, conn, request("a", "and wait"))
	roundTrip(t, conn, request("a", "stop no more"))
}

// What is dropped never arrives.
func TestDrop(t *testing.T) {
	n := New()
	defer n.Close()
	conn := through(t, n)
	h := n.Hold(func(r Request) bool { return r.Contains([]byte("stop")) })
	roundTrip(t, conn, request("a", "go"))
	send(t, conn, request("a", "stop here"))
	silent(t, conn)
	h.Drop()
	if n, err := conn.Read(make([]byte, 1)); err == nil {
		t.Errorf("%d bytes arrived", n)
	}
}
