package admin

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"

	"github.com/meshd/meshd/topology"
)

// ServerTLS makes the TLS side of the listener from the files of a topology, which are relative to dir. A client needs no
// certificate; one that it shows has to be of the mesh's authority.
func ServerTLS(files topology.TLS, dir string) (*tls.Config, error) {
	cert, err := tls.LoadX509KeyPair(filepath.Join(dir, files.Cert), filepath.Join(dir, files.Key))
	if err != nil {
		return nil, fmt.Errorf("reading the node's certificate and key: %w", err)
	}
	pool, err := Authority(filepath.Join(dir, files.CA))
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS13, NextProtos: []string{"h2", "http/1.1"},
		Certificates: []tls.Certificate{cert}, ClientCAs: pool, ClientAuth: tls.VerifyClientCertIfGiven,
	}, nil
}

// Authority reads the certificates of an authority, in PEM.
func Authority(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the authority's certificate: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("reading the authority's certificate: %s holds none in PEM", file)
	}
	return pool, nil
}
