package main

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"
)

// Bytes come as they left, both ways, and not before their time.
func TestProxyHoldsUp(t *testing.T) {
	const delay = 30 * time.Millisecond
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer echo.Close()
	go func() {
		if c, err := echo.Accept(); err == nil {
			_, _ = io.Copy(c, c) // what is missing is seen below
			closeAll(c)
		}
	}()
	p, err := startProxy("127.0.0.1:0", echo.Addr().String(), delay)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	conn, err := net.Dial("tcp", p.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll(conn)
	sent := noise[:3<<20]
	began := time.Now()
	go func() { _, _ = conn.Write(sent) }() // as above
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

// close ends connections that are open, and those who use them notice.
func TestProxyCloses(t *testing.T) {
	quiet, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer quiet.Close()
	p, err := startProxy("127.0.0.1:0", quiet.Addr().String(), time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", p.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll(conn)
	if _, err := quiet.Accept(); err != nil {
		t.Fatal(err)
	}
	p.close()
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the connection lives on")
	}
}
