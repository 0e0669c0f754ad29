package admin

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"

	"golang.org/x/net/netutil"
)

// Config is what a Server shows. What is nil has no route, but for Tokens and TLS.
type Config struct {
	Node       string
	Datacenter string
	Build      string // version of the program
	Log        *slog.Logger

	Watch      *Watch
	Groups     Groups
	Nodes      Nodes
	Translator Translator
	Topologies Topologies
	Metrics    http.Handler

	Tokens   *Tokens     // nil: whoever reaches the listener may ask
	TLS      *tls.Config // nil: plain HTTP
	Panicked func()      // is told of each panic of a handler; may be nil
}

// Bounds of the server: what one client can hold, and for how long.
const (
	headerTimeout  = 5 * time.Second
	readTimeout    = 10 * time.Second
	writeTimeout   = 30 * time.Second
	idleTimeout    = time.Minute
	closeTimeout   = 3 * time.Second
	maxHeaderBytes = 16 << 10
	maxBodyBytes   = 64 << 10
	maxConnections = 256
)

// Server is the admin API of one node.
type Server struct {
	cfg    Config
	routes []route
	http   *http.Server
	ln     net.Listener
}

// Listen binds to an address, host:port; port 0 takes any. Nothing is answered before Run.
func Listen(ctx context.Context, address string, cfg Config) (*Server, error) {
	s := &Server{cfg: cfg}
	s.routes = s.allRoutes()
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listening for the admin API: %w", err)
	}
	s.ln = netutil.LimitListener(ln, maxConnections)
	if cfg.TLS != nil {
		s.ln = tls.NewListener(s.ln, cfg.TLS)
	}
	s.http = &http.Server{
		Handler: s.handler(), ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeaderBytes, ErrorLog: slog.NewLogLogger(cfg.Log.Handler(), slog.LevelDebug),
	}
	return s, nil
}

// Addr is where the server listens.
func (s *Server) Addr() net.Addr { return s.ln.Addr() }

// Paths are all that the server answers to, in their order.
func (s *Server) Paths() []string {
	out := make([]string, 0, len(s.routes))
	for _, r := range s.routes {
		out = append(out, r.path)
	}
	slices.Sort(out)
	return out
}

// Run answers until ctx ends; then it lets requests under way finish, for three seconds, and closes all connections.
func (s *Server) Run(ctx context.Context) error {
	served := make(chan error, 1)
	go func() { served <- s.http.Serve(s.ln) }()
	select {
	case err := <-served:
		return fmt.Errorf("serving the admin API: %w", err)
	case <-ctx.Done():
	}
	soft, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	err := s.http.Shutdown(soft)
	if err != nil {
		err = errors.Join(fmt.Errorf("closing the admin API: %w", err), s.http.Close())
	}
	if ended := <-served; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}
