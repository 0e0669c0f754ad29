package kafkatest

import "github.com/meshd/meshd/internal/wire"

// Option describes the cluster that a test wants.
type Option func(*config)

type config struct {
	brokers     int
	properties  map[string]string
	tls         bool
	clientAuth  bool
	sasl        bool
	restartable bool
	beforeStart func(broker int, dir string) error
	network     *wire.Network
}

// WithBrokers sets the number of brokers; the default is one. Of a real cluster the first is also the only controller: kill another
// to see leaders move.
func WithBrokers(n int) Option {
	return func(c *config) { c.brokers = n }
}

// WithProperties sets properties of every broker, as in server.properties.
func WithProperties(properties map[string]string) Option {
	return func(c *config) { c.properties = properties }
}

// WithTLS has clients speak TLS.
func WithTLS() Option {
	return func(c *config) { c.tls = true }
}

// WithMutualTLS has clients speak TLS and show a certificate.
func WithMutualTLS() Option {
	return func(c *config) { c.tls, c.clientAuth = true, true }
}

// WithSASL has clients log in, with PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.
func WithSASL() Option {
	return func(c *config) { c.sasl = true }
}

// Restartable keeps what the cluster holds on disk, so that Stop, Kill9 and Restart can be called. Real clusters always do.
func Restartable() Option {
	return func(c *config) { c.restartable = true }
}

// BeforeStart has a function see each broker's folder, with its server.properties and its empty data folder, before its first start.
// Real clusters only.
func BeforeStart(see func(broker int, dir string) error) Option {
	return func(c *config) { c.beforeStart = see }
}

func newConfig(options []Option) config {
	c := config{brokers: 1}
	for _, option := range options {
		option(&c)
	}
	return c
}

// protocol is Kafka's name for the security that clients meet.
func (c config) protocol() string {
	name := "PLAINTEXT"
	if c.tls {
		name = "SSL"
	}
	if c.sasl {
		name = "SASL_" + name
	}
	return name
}
