package mesh

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hashicorp/memberlist"

	"github.com/meshd/meshd/mesh/gossip"
	"github.com/meshd/meshd/topology"
)

// PeerTLS makes the configuration by which nodes speak to each other, for both sides: each shows a certificate of the mesh's authority.
// Paths are relative to dir.
func PeerTLS(files topology.TLS, dir string) (*tls.Config, error) {
	cert, err := tls.LoadX509KeyPair(filepath.Join(dir, files.Cert), filepath.Join(dir, files.Key))
	if err != nil {
		return nil, fmt.Errorf("reading the node's certificate and key: %w", err)
	}
	pem, err := os.ReadFile(filepath.Join(dir, files.CA))
	if err != nil {
		return nil, fmt.Errorf("reading the authority's certificate: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("reading the authority's certificate: %s holds none in PEM", files.CA)
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{cert},
		RootCAs: pool, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert,
	}, nil
}

// secrets reads what a topology's security names; nothing, if it has none.
func secrets(s *topology.Security, dir string) (*tls.Config, *memberlist.Keyring, error) {
	if s == nil {
		return nil, nil, nil
	}
	peer, err := PeerTLS(s.TLS, dir)
	if err != nil {
		return nil, nil, err
	}
	ring, err := gossip.ReadKeyring(filepath.Join(dir, s.GossipKeyring))
	return peer, ring, err
}
