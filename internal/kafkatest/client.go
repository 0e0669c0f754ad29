package kafkatest

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/meshd/meshd/internal/kafkatest/certs"
)

// Who logs in to a cluster with SASL, and how.
const (
	username = "meshd"
	password = "meshd-secret"
)

var mechanisms = []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}

// Security is what a program under test is configured with to reach a cluster. Paths are absolute; what does not apply is "".
type Security struct {
	CAFile, CertFile, KeyFile string
	Username, Password        string
	Mechanisms                []string
}

// Security returns how to reach the cluster. The client's certificate is there with TLS whether or not the cluster wants to see it.
func (c *Cluster) Security() Security {
	var s Security
	if c.config.tls {
		dir := c.tlsDir()
		s.CAFile = filepath.Join(dir, "ca.pem")
		s.CertFile, s.KeyFile = filepath.Join(dir, "client.pem"), filepath.Join(dir, "client-key.pem")
	}
	if c.config.sasl {
		s.Username, s.Password, s.Mechanisms = username, password, mechanisms
	}
	return s
}

func (c *Cluster) tlsDir() string { return filepath.Join(c.dir, "tls") }

// Opts returns the options of a client that reaches the cluster.
func (c *Cluster) Opts() []kgo.Opt {
	options := []kgo.Opt{
		kgo.SeedBrokers(c.Bootstrap()...),
		kgo.MetadataMinAge(250 * time.Millisecond), // the default, 5 s, is what a test would wait after each change of leader
	}
	if c.config.tls {
		config, err := certs.Client(c.tlsDir())
		if err != nil {
			panic(err) // the cluster could not have started without these files
		}
		options = append(options, kgo.DialTLSConfig(config))
	}
	if c.config.sasl {
		options = append(options, kgo.SASL(scram.Auth{User: username, Pass: password}.AsSha512Mechanism()))
	}
	return options
}

// Client returns a client of the cluster, closed with the test.
func (c *Cluster) Client(t testing.TB, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append(c.Opts(), options...)...)
	if err != nil {
		t.Fatalf("making a client of %s: %v", c.alias, err)
	}
	t.Cleanup(client.Close)
	return client
}
