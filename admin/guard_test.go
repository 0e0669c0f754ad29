package admin_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meshd/meshd/admin"
	"github.com/meshd/meshd/admin/admintest"
	"github.com/meshd/meshd/topology"
)

func tokens(t *testing.T) *admin.Tokens {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tokens.yaml")
	text := "tokens: [{name: grafana, role: view, token: 0123456789abcdef}]"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	loaded, err := admin.LoadTokens(file)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

func TestEveryPathButHealthWantsAToken(t *testing.T) {
	cfg := whole(admintest.Starting())
	cfg.Tokens = tokens(t)
	s := serve(t, cfg)
	for _, path := range s.Paths() {
		want := http.StatusUnauthorized
		switch path {
		case "/healthz":
			want = http.StatusOK
		case "/readyz":
			want = http.StatusServiceUnavailable
		}
		for _, header := range []string{"", "Bearer wrong-0123456789", "Basic 0123456789abcdef", "Bearer", "bearer 0123456789abcdefg"} {
			status, h, body := s.get(t, path, "Authorization", header)
			if status != want {
				t.Errorf("%s with %q: status %d, want %d", path, header, status, want)
			}
			if asks := h.Get("WWW-Authenticate") != ""; asks != (want == http.StatusUnauthorized) {
				t.Errorf("%s with %q: asks for a token: %t", path, header, asks)
			}
			if strings.Contains(string(body), "us->eu") {
				t.Errorf("%s with %q tells: %s", path, header, body)
			}
		}
		if status, _, _ := s.get(t, path, "Authorization", "Bearer 0123456789abcdef"); status == http.StatusUnauthorized {
			t.Errorf("%s is refused to a token", path)
		}
	}
	if _, _, body := s.get(t, "/readyz", "Authorization", "bearer 0123456789abcdef"); !strings.Contains(string(body), "us->eu") {
		t.Errorf("reasons are kept from a token: %s", body)
	}
}

func TestAPanicIsCountedAndAnswered(t *testing.T) {
	var panics atomic.Int32
	cfg := whole(admintest.Well(time.Now()))
	cfg.Metrics = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") })
	cfg.Panicked = func() { panics.Add(1) }
	s := serve(t, cfg)
	if status, _, body := s.get(t, "/metrics"); status != http.StatusInternalServerError || panics.Load() != 1 || strings.Contains(string(body), "boom") {
		t.Errorf("status %d after %d panics: %s", status, panics.Load(), body)
	}
	if status, _, _ := s.get(t, "/v1/status"); status != http.StatusOK {
		t.Errorf("status %d after a panic", status)
	}
}

// TestHeadersAreBounded takes a closed connection for a no: the server does not read on to the end of what it refuses.
func TestHeadersAreBounded(t *testing.T) {
	s := serve(t, whole(admintest.Well(time.Now())))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/healthz", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Large", strings.Repeat("x", 64<<10))
	resp, err := s.client.Do(req)
	if err != nil {
		return
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("status %d for a header of 64 KiB", resp.StatusCode)
	}
}

func TestListenSaysWhatIsInTheWay(t *testing.T) {
	s := serve(t, admin.Config{})
	_, err := admin.Listen(t.Context(), s.Addr().String(), admin.Config{Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "listening for the admin API") {
		t.Errorf("listening twice: %v", err)
	}
}

// TestClosingWaitsForWhatIsUnderWay stops the server while a request is being answered.
func TestClosingWaitsForWhatIsUnderWay(t *testing.T) {
	asked, goOn := make(chan struct{}), make(chan struct{})
	cfg := admin.Config{Log: slog.New(slog.DiscardHandler), Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(asked)
		<-goOn
		w.WriteHeader(http.StatusNoContent)
	})}
	s, err := admin.Listen(t.Context(), "127.0.0.1:0", cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended, answered := make(chan error, 1), make(chan int, 1)
	go func() { ended <- s.Run(ctx) }()
	r := &running{s, "http://" + s.Addr().String(), &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	go func() {
		status, _, _ := r.get(t, "/metrics")
		answered <- status
	}()
	<-asked
	cancel()
	select {
	case err := <-ended:
		t.Fatalf("ended before the answer: %v", err)
	default:
	}
	close(goOn)
	if status := <-answered; status != http.StatusNoContent {
		t.Errorf("status %d", status)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestTLS(t *testing.T) {
	dir := t.TempDir()
	certificates(t, dir)
	config, err := admin.ServerTLS(topology.TLS{CA: "ca.pem", Cert: "node.pem", Key: "node.key"}, dir)
	if err != nil {
		t.Fatal(err)
	}
	cfg := whole(admintest.Well(time.Now()))
	cfg.TLS = config
	s := serve(t, cfg)
	pool, err := admin.Authority(filepath.Join(dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	mine, err := tls.LoadX509KeyPair(filepath.Join(dir, "node.pem"), filepath.Join(dir, "node.key"))
	if err != nil {
		t.Fatal(err)
	}
	other := t.TempDir()
	certificates(t, other)
	foreign, err := tls.LoadX509KeyPair(filepath.Join(other, "node.pem"), filepath.Join(other, "node.key"))
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		client *tls.Config
		ok     bool
	}{
		"without a certificate":         {&tls.Config{RootCAs: pool}, true},
		"with one of the mesh":          {&tls.Config{RootCAs: pool, Certificates: []tls.Certificate{mine}}, true},
		"with one of somebody else":     {&tls.Config{RootCAs: pool, Certificates: []tls.Certificate{foreign}}, false},
		"that does not know the server": {&tls.Config{RootCAs: x509.NewCertPool()}, false},
		"of TLS 1.2":                    {&tls.Config{RootCAs: pool, MaxVersion: tls.VersionTLS12}, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if len(tc.client.Certificates) > 0 {
				shown := tc.client.Certificates[0]
				tc.client.Certificates = nil
				tc.client.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &shown, nil }
			}
			client := &http.Client{Transport: &http.Transport{TLSClientConfig: tc.client, DisableKeepAlives: true}}
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+s.Addr().String()+"/healthz", nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := client.Do(req)
			if err == nil {
				_ = resp.Body.Close()
			}
			if (err == nil) != tc.ok {
				t.Errorf("answered: %t, want %t (%v)", err == nil, tc.ok, err)
			}
		})
	}
}

func TestTLSFilesThatAreNotThere(t *testing.T) {
	dir := t.TempDir()
	certificates(t, dir)
	if err := os.WriteFile(filepath.Join(dir, "empty.pem"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, files := range []topology.TLS{
		{CA: "ca.pem", Cert: "node.pem", Key: "no.key"},
		{CA: "no.pem", Cert: "node.pem", Key: "node.key"},
		{CA: "empty.pem", Cert: "node.pem", Key: "node.key"},
	} {
		if _, err := admin.ServerTLS(files, dir); err == nil {
			t.Errorf("%+v was taken", files)
		}
	}
}

// certificates writes an authority of its own and a node's certificate into dir.
func certificates(t *testing.T, dir string) {
	t.Helper()
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	node := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "node"}, NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	caKey, nodeKey := newKey(t), newKey(t)
	writeCertificate(t, filepath.Join(dir, "ca.pem"), authority, authority, caKey, caKey)
	writeCertificate(t, filepath.Join(dir, "node.pem"), node, authority, nodeKey, caKey)
	der, err := x509.MarshalPKCS8PrivateKey(nodeKey)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, filepath.Join(dir, "node.key"), "PRIVATE KEY", der)
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func writeCertificate(t *testing.T, file string, c, by *x509.Certificate, key, signer *ecdsa.PrivateKey) {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, by, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, file, "CERTIFICATE", der)
}

func writePEM(t *testing.T, file, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}
