package main

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/meshd/meshd/admin"
	"github.com/meshd/meshd/admin/admintest"
	"github.com/meshd/meshd/internal/kafkatest/certs"
	"github.com/meshd/meshd/topology"
)

func TestNodeURL(t *testing.T) {
	tests := []struct {
		address string
		secure  bool
		want    string // "" is refused
	}{
		{"eu-1:7948", false, "http://eu-1:7948"},
		{"eu-1", false, "http://eu-1:7948"},
		{"eu-1", true, "https://eu-1:7948"},
		{"http://eu-1:80/", true, "http://eu-1:80"},
		{"https://[::1]", false, "https://[::1]:7948"},
		{"[2001:db8::1]:99", false, "http://[2001:db8::1]:99"},
		{"", false, ""},
		{"http://", false, ""},
		{"eu-1/v1", false, ""},
		{"me:secret@eu-1", false, ""},
		{"eu-1?x=1", false, ""},
		{"unix:///run/meshd", false, ""},
		{"eu 1", false, ""},
	}
	for _, tc := range tests {
		u, err := nodeURL(tc.address, tc.secure)
		got := ""
		if err == nil {
			got = u.String()
		}
		if got != tc.want {
			t.Errorf("%q is %q (%v), want %q", tc.address, got, err, tc.want)
		}
	}
}

// secured is a node with TLS and a token, and the files that a client of it needs.
func secured(t *testing.T) (address, ca, token string) {
	t.Helper()
	dir := t.TempDir()
	if err := certs.Write(dir); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	tokens, err := admin.LoadTokens(write("tokens.yaml", "tokens: [{name: me, role: view, token: 0123456789abcdef}]"))
	if err != nil {
		t.Fatal(err)
	}
	config, err := admin.ServerTLS(topology.TLS{CA: "ca.pem", Cert: "broker.pem", Key: "broker.pem"}, dir)
	if err != nil {
		t.Fatal(err)
	}
	n := admintest.Well(time.Now())
	return serve(t, admin.Config{Node: n.Name, Nodes: n, Tokens: tokens, TLS: config}), filepath.Join(dir, "ca.pem"), write("token", "0123456789abcdef\n")
}

func TestTLSAndTokens(t *testing.T) {
	address, ca, token := secured(t)
	wrong := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(wrong, []byte("fedcba9876543210"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		args []string
		code int
		says string
	}{
		"with both":            {[]string{"--admin", address, "--admin-ca", ca, "--admin-token-file", token}, exitDone, "eu-1"},
		"without a token":      {[]string{"--admin", address, "--admin-ca", ca}, exitFailed, "a token is needed"},
		"with another token":   {[]string{"--admin", address, "--admin-ca", ca, "--admin-token-file", wrong}, exitFailed, "the token is not known"},
		"without an authority": {[]string{"--admin", "https://" + address}, exitFailed, "--admin-ca"},
		"without TLS":          {[]string{"--admin", address}, exitFailed, "write https:// before its address"},
		"a token in the clear": {[]string{"--admin", "http://192.0.2.1:7948", "--admin-token-file", token}, exitUsage, "not sent in the clear"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), append([]string{"nodes"}, tc.args...), &stdout, &stderr)
			if out := stdout.String() + stderr.String(); code != tc.code || !strings.Contains(out, tc.says) {
				t.Errorf("exit %d, want %d; %q wanted in\n%s", code, tc.code, tc.says, out)
			}
		})
	}
}

func TestTheEnvironmentNamesNodes(t *testing.T) {
	address, ca, token := secured(t)
	t.Setenv("MESHD_ADMIN", closedPort(t)+","+address)
	t.Setenv("MESHD_ADMIN_CA", ca)
	t.Setenv("MESHD_ADMIN_TOKEN_FILE", token)
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"nodes"}, &stdout, &stderr); code != exitDone {
		t.Errorf("exit %d: %s", code, stderr.String())
	}
	if code := run(t.Context(), []string{"nodes", "--admin", closedPort(t)}, &stdout, &stderr); code != exitFailed {
		t.Errorf("the flag does not win: exit %d", code)
	}
}

// TestASilentNodeIsWaitedForASecond has one that takes the connection and says nothing.
func TestASilentNodeIsWaitedForASecond(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	n := admintest.Well(time.Now())
	good := serve(t, admin.Config{Node: n.Name, Watch: admin.NewWatch(n, n)})
	began := time.Now()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"status", "--admin", ln.Addr().String() + "," + good}, &stdout, &stderr)
	if code != exitDone || !strings.Contains(stderr.String(), "no answer in time") || !strings.Contains(stdout.String(), "us->eu") {
		t.Errorf("exit %d:\n%s%s", code, stdout.String(), stderr.String())
	}
	if took := time.Since(began); took < askTimeout || took > 5*askTimeout {
		t.Errorf("took %s", took)
	}
}
