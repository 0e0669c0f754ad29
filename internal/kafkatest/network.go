package kafkatest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"

	"github.com/meshd/meshd/internal/wire"
)

// Behind has everybody come to the brokers through a network, which the test may break. It has to outlive the cluster. A kfake cluster
// behind one can't be restarted.
func Behind(network *wire.Network) Option {
	return func(c *config) { c.network = network }
}

// Front puts a network before one of the listeners of a real broker that has not started: who wants to go there is told to come to the
// front.
func Front(network *wire.Network, dir, listener string) (front string, err error) {
	properties := filepath.Join(dir, "server.properties")
	content, err := os.ReadFile(properties)
	if err != nil {
		return "", err
	}
	advertised := regexp.MustCompile(`(?m)^(advertised\.listeners=.*\b` + listener + `://)([0-9.:]+)`)
	found := advertised.FindSubmatch(content)
	if found == nil {
		return "", fmt.Errorf("%s advertises no %s", properties, listener)
	}
	if front, err = network.Forward("127.0.0.1:0", string(found[2])); err != nil {
		return "", err
	}
	return front, os.WriteFile(properties, advertised.ReplaceAll(content, []byte("${1}"+front)), 0o600)
}

// listen listens behind a network, and tells the network's address for its own.
func (f *fake) listen(network, address string) (net.Listener, error) {
	if f.config.restartable {
		return nil, errors.New("kfake behind a network can't be restarted")
	}
	l, err := net.Listen(network, address)
	if err != nil {
		return nil, err
	}
	front, err := f.config.network.Forward("127.0.0.1:0", l.Addr().String())
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	at, err := net.ResolveTCPAddr("tcp", front)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return fronted{l, at}, nil
}

type fronted struct {
	net.Listener
	front net.Addr
}

// Addr is where clients are told to go.
func (f fronted) Addr() net.Addr { return f.front }
