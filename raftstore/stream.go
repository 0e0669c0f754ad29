package raftstore

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// prefaceTimeout is how long a connection may take until it has said where it comes from.
const prefaceTimeout = 5 * time.Second

// maxPreface bounds what is read of one that says something else.
const maxPreface = 512

// stream is the connections between the nodes of a datacenter. Each begins with a line that names the mesh and the datacenter, by the
// one who dials; inside TLS, if there is.
type stream struct {
	listener  net.Listener
	advertise string
	preface   string
	tls       *tls.Config // nil: plain TCP
	log       *slog.Logger
	refused   func() // counts a connection from elsewhere

	dialing context.Context //nolint:containedctx // of the stream's life: raft's Dial has none
	stop    context.CancelFunc
	mu      sync.Mutex
	open    map[net.Conn]struct{}
}

var _ raft.StreamLayer = (*stream)(nil)

func listen(cfg Config, refused func()) (*stream, error) {
	listener, err := net.Listen("tcp", cfg.Bind)
	if err != nil {
		return nil, fmt.Errorf("listening for raft: %w", err)
	}
	id := cfg.Dir.id
	s := &stream{
		listener: listener, advertise: cfg.Advertise, tls: cfg.TLS, log: cfg.Log, refused: refused,
		preface: fmt.Sprintf("meshd-raft 1 %s/%s\n", id.Mesh, id.Datacenter), open: map[net.Conn]struct{}{},
	}
	s.dialing, s.stop = context.WithCancel(context.Background())
	return s, nil
}

// Dial connects to another node.
func (s *stream) Dial(address raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(s.dialing, timeout)
	defer cancel()
	plain, err := new(net.Dialer).DialContext(ctx, "tcp", string(address))
	if err != nil {
		return nil, err
	}
	conn, err := s.greet(ctx, plain, string(address))
	if err != nil {
		return nil, errors.Join(err, plain.Close())
	}
	return s.track(conn)
}

func (s *stream) greet(ctx context.Context, conn net.Conn, address string) (net.Conn, error) {
	if s.tls != nil {
		cfg := s.tls.Clone()
		if cfg.ServerName == "" {
			cfg.ServerName, _, _ = net.SplitHostPort(address) // dialled a moment ago, so it splits
		}
		secure := tls.Client(conn, cfg)
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, fmt.Errorf("raft TLS with %s: %w", address, err)
		}
		conn = secure
	}
	_, err := conn.Write([]byte(s.preface))
	return conn, err
}

// Accept returns a connection that checks its preface when it is first read, so that one which says nothing holds up no other.
func (s *stream) Accept() (net.Conn, error) {
	conn, err := s.listener.Accept()
	if err != nil {
		return nil, err
	}
	if s.tls != nil {
		conn = tls.Server(conn, s.tls)
	}
	return s.track(&greeted{Conn: conn, from: s})
}

// Close ends the listener and every connection: raft leaves accepted ones to their other end.
func (s *stream) Close() error {
	s.stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn := range s.open {
		_ = conn.Close() // nobody reads it any more
	}
	s.open = nil
	if err := s.listener.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// Addr is what the others dial.
func (s *stream) Addr() net.Addr { return address(s.advertise) }

type address string

func (address) Network() string  { return "tcp" }
func (a address) String() string { return string(a) }

func (s *stream) track(conn net.Conn) (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		return nil, errors.Join(net.ErrClosed, conn.Close())
	}
	s.open[conn] = struct{}{}
	return &tracked{Conn: conn, from: s}, nil
}

// tracked is a connection that its stream forgets when it is closed.
type tracked struct {
	net.Conn
	from *stream
}

func (t *tracked) Close() error {
	t.from.mu.Lock()
	delete(t.from.open, t.Conn)
	t.from.mu.Unlock()
	return t.Conn.Close()
}

// greeted is an accepted connection.
type greeted struct {
	net.Conn
	from   *stream
	reader *bufio.Reader // nil: the preface was not read yet
}

// Read is called by one goroutine at a time.
func (g *greeted) Read(p []byte) (int, error) {
	if g.reader == nil {
		if err := g.welcome(); err != nil {
			return 0, errors.Join(err, g.Close())
		}
	}
	return g.reader.Read(p)
}

func (g *greeted) welcome() error {
	if err := g.SetReadDeadline(time.Now().Add(prefaceTimeout)); err != nil {
		return err
	}
	reader := bufio.NewReaderSize(g.Conn, maxPreface)
	line, err := reader.ReadSlice('\n')
	if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
		return fmt.Errorf("reading the preface of a raft connection: %w", err)
	}
	if string(line) != g.from.preface {
		g.from.refused()
		g.from.log.Warn("refusing a raft connection from elsewhere", slog.String("from", g.RemoteAddr().String()),
			slog.String("said", strings.TrimSpace(string(line))), slog.String("expected", strings.TrimSpace(g.from.preface)))
		return errors.New("a raft connection from elsewhere")
	}
	g.reader = reader
	return g.SetReadDeadline(time.Time{})
}
