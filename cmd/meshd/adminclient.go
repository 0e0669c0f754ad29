package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshd/meshd/admin"
)

const (
	adminPort    = "7948"
	defaultAdmin = "http://127.0.0.1:" + adminPort
	askTimeout   = time.Second // of one node
	maxAnswer    = 64 << 20    // bytes
)

// adminFlags is how a command reaches nodes, and how it shows what they say.
type adminFlags struct {
	outputFlag
	nodes     []string
	ca        string
	tokenFile string
}

func (f *adminFlags) addTo(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&f.nodes, "admin", nil, "admin addresses of nodes, host:port or URL (env MESHD_ADMIN; default "+defaultAdmin+")")
	cmd.Flags().StringVar(&f.ca, "admin-ca", "", "certificate of the authority that signed the nodes' certificates (env MESHD_ADMIN_CA)")
	cmd.Flags().StringVar(&f.tokenFile, "admin-token-file", "", "file that holds a token of the nodes' tokens file (env MESHD_ADMIN_TOKEN_FILE)")
	f.outputFlag.addTo(cmd)
}

// adminClient asks nodes.
type adminClient struct {
	nodes []*url.URL
	token string
	http  *http.Client
}

// client makes a client of what the flags and the environment say. Its errors are mistakes in the call.
func (f *adminFlags) client() (*adminClient, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	transport := &http.Transport{
		Proxy: nil, DialContext: (&net.Dialer{Timeout: askTimeout}).DialContext, TLSHandshakeTimeout: askTimeout, DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS13},
	}
	c := &adminClient{http: &http.Client{
		Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	ca := cmp.Or(f.ca, os.Getenv("MESHD_ADMIN_CA"))
	if ca != "" {
		pool, err := admin.Authority(ca)
		if err != nil {
			return nil, usageError{err}
		}
		transport.TLSClientConfig.RootCAs = pool
	}
	if file := cmp.Or(f.tokenFile, os.Getenv("MESHD_ADMIN_TOKEN_FILE")); file != "" {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, usageError{fmt.Errorf("reading the admin token: %w", err)}
		}
		c.token = strings.TrimSpace(string(data))
	}
	return c, c.name(f.addresses(), ca != "")
}

func (f *adminFlags) addresses() []string {
	if len(f.nodes) > 0 {
		return f.nodes
	}
	return strings.Split(cmp.Or(os.Getenv("MESHD_ADMIN"), defaultAdmin), ",")
}

// name reads the addresses of nodes; each is asked once.
func (c *adminClient) name(addresses []string, secure bool) error {
	for _, a := range addresses {
		u, err := nodeURL(strings.TrimSpace(a), secure)
		if err != nil {
			return usageError{err}
		}
		if c.token != "" && u.Scheme == "http" && !loopback(u.Hostname()) {
			return usageError{fmt.Errorf("%s: a token is not sent in the clear; name an https address", u)}
		}
		if !slices.ContainsFunc(c.nodes, func(o *url.URL) bool { return *o == *u }) {
			c.nodes = append(c.nodes, u)
		}
	}
	return nil
}

func nodeURL(address string, secure bool) (*url.URL, error) {
	if !strings.Contains(address, "://") {
		scheme := "http://"
		if secure {
			scheme = "https://"
		}
		address = scheme + address
	}
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" ||
		u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("admin address %q wants host:port, or http:// or https:// before it", address)
	}
	if u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), adminPort)
	}
	u.Path = ""
	return u, nil
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// answerError is a node's own no.
type answerError struct {
	node string
	admin.ErrorAnswer
}

func (e *answerError) Error() string { return withHint(e.node+": "+e.ErrorAnswer.Error, e.Hint) }

func withHint(text, hint string) string {
	if hint == "" {
		return clean(text)
	}
	return clean(text) + "\n  hint: " + clean(hint)
}

// get asks one node and decodes what it says.
func (c *adminClient) get(ctx context.Context, node *url.URL, path string, query url.Values, into any) error {
	u := node.JoinPath(path)
	u.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return fmt.Errorf("asking %s: %w", node, err)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return unanswered(node, err)
	}
	defer func() { _ = resp.Body.Close() }() // it was read, or is not wanted
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("reading the answer of %s: %w", node, err)
	}
	if resp.StatusCode != http.StatusOK {
		return refused(node, resp.Status, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("reading the answer of %s: %w", node, err)
	}
	return nil
}

// unanswered takes the words of the HTTP client off: the method and the whole URL.
func unanswered(node *url.URL, err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	text, hint := node.String()+": "+err.Error(), ""
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		text = node.String() + ": no answer in time"
	case strings.Contains(err.Error(), "HTTP response to HTTPS"):
		hint = "this node speaks plain HTTP: write http:// before its address"
	case strings.Contains(err.Error(), "certificate"):
		hint = "name the authority of the mesh with --admin-ca"
	}
	return errors.New(withHint(text, hint))
}

func refused(node *url.URL, status string, body []byte) error {
	e := &answerError{node: node.String()}
	if json.Unmarshal(body, &e.ErrorAnswer) == nil && e.ErrorAnswer.Error != "" {
		return e
	}
	e.ErrorAnswer.Error = status
	if strings.Contains(string(body), "HTTPS server") {
		e.Hint = "this node speaks TLS: write https:// before its address, and name the authority with --admin-ca"
	}
	return e
}
