package certs

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Write makes a new authority with a broker and a client and writes their PEM files into dir, which it creates.
func Write(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the folder of certificates: %w", err)
	}
	files, err := generate()
	if err != nil {
		return fmt.Errorf("generating certificates: %w", err)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return fmt.Errorf("writing certificates: %w", err)
		}
	}
	return nil
}

// Client reads what Write left in dir and returns the configuration of a client that shows its certificate.
func Client(dir string) (*tls.Config, error) {
	pool, err := authority(dir)
	if err != nil {
		return nil, err
	}
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "client.pem"), filepath.Join(dir, "client-key.pem"))
	if err != nil {
		return nil, fmt.Errorf("reading the client's certificate: %w", err)
	}
	return &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}}, nil
}

// Server reads what Write left in dir and returns the configuration of a broker. Where clients must show a certificate,
// requireClient is set.
func Server(dir string, requireClient bool) (*tls.Config, error) {
	pool, err := authority(dir)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "broker.pem")
	pair, err := tls.LoadX509KeyPair(file, file)
	if err != nil {
		return nil, fmt.Errorf("reading the broker's certificate: %w", err)
	}
	config := &tls.Config{ClientCAs: pool, Certificates: []tls.Certificate{pair}}
	if requireClient {
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return config, nil
}

func authority(dir string) (*x509.CertPool, error) {
	content, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil {
		return nil, fmt.Errorf("reading the authority: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(content) {
		return nil, fmt.Errorf("reading the authority: no certificate in %s", dir)
	}
	return pool, nil
}

func generate() (map[string][]byte, error) {
	root, err := issue("meshd test authority", x509.KeyUsageCertSign, nil)
	if err != nil {
		return nil, err
	}
	broker, err := issue("broker", x509.KeyUsageDigitalSignature, root)
	if err != nil {
		return nil, err
	}
	client, err := issue("meshd", x509.KeyUsageDigitalSignature, root)
	if err != nil {
		return nil, err
	}
	return map[string][]byte{
		"ca.pem":              root.certPEM,
		"broker.pem":          bytes.Join([][]byte{broker.keyPEM, broker.certPEM}, nil),
		"client.pem":          client.certPEM,
		"client-key.pem":      client.keyPEM,
		"client-keystore.pem": bytes.Join([][]byte{client.keyPEM, client.certPEM}, nil),
	}, nil
}

type issued struct {
	key             *ecdsa.PrivateKey
	cert            *x509.Certificate
	certPEM, keyPEM []byte
}

// issue makes a key and a certificate for it, signed by the issuer, or by itself where that is nil.
func issue(name string, usage x509.KeyUsage, issuer *issued) (*issued, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	made := &issued{key: key, cert: template(name, usage)}
	if issuer == nil {
		issuer = made
	}
	der, err := x509.CreateCertificate(rand.Reader, made.cert, issuer.cert, &key.PublicKey, issuer.key)
	if err != nil {
		return nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	made.certPEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	made.keyPEM = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	return made, nil
}

func template(name string, usage x509.KeyUsage) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		SerialNumber:          big.NewInt(now.UnixNano()),
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.AddDate(10, 0, 0),
		KeyUsage:              usage,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IsCA:                  usage == x509.KeyUsageCertSign,
		BasicConstraintsValid: true,
		DNSNames:              []string{"localhost"},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
}
