package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/meshd/meshd/topology"
)

// Resolver gives the addresses of a cluster that lives inside this process.
type Resolver func(topology.Alias) ([]string, error)

// Dialer builds the clients of one node.
type Dialer struct {
	Datacenter string // of the node: it decides which address of a cluster is taken
	SecretsDir string // files named in the topology are relative to it
	ClientID   string // what brokers see, such as "meshd/us-1"
	Embedded   Resolver
}

// Dial makes a handle on a cluster. Nothing is sent yet: a cluster that is down is found by the first request.
func (d *Dialer) Dial(c topology.Cluster, extra ...kgo.Opt) (*Cluster, error) {
	opts, err := d.options(c)
	if err != nil {
		return nil, fmt.Errorf("preparing the connection to cluster %s: %w", c.Alias, err)
	}
	cl, err := kgo.NewClient(append(opts, extra...)...)
	if err != nil {
		return nil, fmt.Errorf("preparing the connection to cluster %s: %w", c.Alias, err)
	}
	return newCluster(c, cl), nil
}

func (d *Dialer) options(c topology.Cluster) ([]kgo.Opt, error) {
	ep := c.Endpoint(d.Datacenter)
	seeds, err := d.seeds(c.Alias, ep)
	if err != nil {
		return nil, err
	}
	opts := append(baseOptions(limitOf(c)), kgo.SeedBrokers(seeds...), kgo.ClientID(d.ClientID))
	if c.Rack != "" {
		opts = append(opts, kgo.Rack(c.Rack))
	}
	sec, err := d.security(ep)
	if err != nil {
		return nil, Because(SecretsUnreadable, fmt.Sprintf("cluster %s: %v", c.Alias, err),
			"files are looked for in --secrets-dir, variables in the environment of the node's process")
	}
	return append(opts, sec...), nil
}

func (d *Dialer) seeds(alias topology.Alias, ep topology.Endpoint) ([]string, error) {
	if !ep.Embedded() {
		return ep.Bootstrap, nil
	}
	if d.Embedded == nil {
		return nil, errors.New("the cluster is embedded, and this process has no embedded clusters")
	}
	return d.Embedded(alias)
}

func limitOf(c topology.Cluster) time.Duration {
	if c.RequestTimeout > 0 {
		return c.RequestTimeout
	}
	return 10 * time.Second
}

// baseOptions are the same for every client: metadata may be asked for four times a second, because the default of 5 s
// stalls a producer for three times as long after a leader moved. No request waits longer than its cluster's limit, and after a third of
// it another broker is asked: one that hangs refuses nothing.
func baseOptions(timeout time.Duration) []kgo.Opt {
	return []kgo.Opt{
		kgo.SoftwareNameAndVersion("meshd", "1"),
		kgo.MetadataMinAge(250 * time.Millisecond),
		kgo.MetadataMaxAge(time.Minute),
		kgo.DialTimeout(min(timeout/3, 5*time.Second)),
		kgo.RequestTimeoutOverhead(timeout / 3),
		kgo.RetryTimeout(timeout),
		kgo.RequestRetries(4),
		kgo.BrokerMaxReadBytes(256 << 20),
		kgo.BrokerMaxWriteBytes(256 << 20),
		kgo.ConnIdleTimeout(3 * time.Minute),
		kgo.DisableClientMetrics(),
	}
}

func (d *Dialer) security(ep topology.Endpoint) ([]kgo.Opt, error) {
	var opts []kgo.Opt
	if ep.TLS != nil {
		cfg, err := d.TLSConfig(*ep.TLS)
		if err != nil {
			return nil, err
		}
		opts = append(opts, kgo.DialTLSConfig(cfg))
	}
	if ep.SASL != nil {
		m, err := d.mechanism(*ep.SASL)
		if err != nil {
			return nil, err
		}
		opts = append(opts, kgo.SASL(m))
	}
	return opts, nil
}

// TLSConfig reads the files that t names.
func (d *Dialer) TLSConfig(t topology.TLS) (*tls.Config, error) {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName, InsecureSkipVerify: t.Insecure} // asked for, and warned about when the topology is read
	if t.CA != "" {
		pem, err := os.ReadFile(d.path(t.CA))
		if err != nil {
			return nil, fmt.Errorf("reading tls.ca: %w", err)
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("reading tls.ca: %s holds no PEM certificate", d.path(t.CA))
		}
	}
	if t.Cert != "" {
		pair, err := tls.LoadX509KeyPair(d.path(t.Cert), d.path(t.Key))
		if err != nil {
			return nil, fmt.Errorf("reading tls.cert and tls.key: %w", err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return cfg, nil
}

func (d *Dialer) mechanism(s topology.SASL) (sasl.Mechanism, error) {
	pass, err := d.password(s)
	if err != nil {
		return nil, err
	}
	switch s.Mechanism {
	case "PLAIN":
		return plain.Auth{User: s.Username, Pass: pass}.AsMechanism(), nil
	case "SCRAM-SHA-256":
		return scram.Auth{User: s.Username, Pass: pass}.AsSha256Mechanism(), nil
	case "SCRAM-SHA-512":
		return scram.Auth{User: s.Username, Pass: pass}.AsSha512Mechanism(), nil
	}
	return nil, fmt.Errorf("sasl.mechanism %q is not one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512", s.Mechanism)
}

func (d *Dialer) password(s topology.SASL) (string, error) {
	if s.PasswordEnv != "" {
		v, ok := os.LookupEnv(s.PasswordEnv)
		if !ok {
			return "", fmt.Errorf("sasl.password_env names %s, which is not set", s.PasswordEnv)
		}
		return v, nil
	}
	b, err := os.ReadFile(d.path(s.PasswordFile))
	if err != nil {
		return "", fmt.Errorf("reading sasl.password_file: %w", err)
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}

func (d *Dialer) path(p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(d.SecretsDir, p)
}
