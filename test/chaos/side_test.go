package chaos

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/meshd/meshd/internal/kafkatest"
	"github.com/meshd/meshd/internal/wire"
)

// side is a cluster behind a network that can be broken. All clients go through it; only those of nodes are struck.
type side struct {
	*kafkatest.Cluster
	alias  string
	net    *wire.Network
	inner  *wire.Network // between its brokers
	fronts []string      // addresses of the brokers, as clients see them
	disk   disk          // of fullBroker
}

// startSide starts a cluster whose brokers tell clients to come through the network. With small one broker has a small disk; with inner
// brokers come to each other through a network, too.
func startSide(t *testing.T, alias string, brokers int, properties map[string]string, small, inner bool) *side {
	t.Helper()
	s := &side{alias: alias, net: wire.New(), inner: wire.New()}
	t.Cleanup(func() {
		s.disk.remove() // the brokers have ended
		s.net.Close()
		s.inner.Close()
	})
	s.Cluster = kafkatest.Start(t, alias, kafkatest.WithBrokers(brokers), kafkatest.WithProperties(properties),
		kafkatest.BeforeStart(func(broker int, dir string) error {
			if small && broker == fullBroker {
				s.disk = newDisk(filepath.Join(dir, "data"))
			}
			if inner {
				if _, err := putBefore(s.inner, dir, "INTERNAL"); err != nil {
					return err
				}
			}
			front, err := putBefore(s.net, dir, "CLIENT")
			s.fronts = append(s.fronts, front)
			return err
		}))
	return s
}

// putBefore puts a network before one of a broker's listeners: who wants to go there is told to come to the front.
func putBefore(n *wire.Network, dir, listener string) (front string, err error) {
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
	if front, err = n.Forward("127.0.0.1:0", string(found[2])); err != nil {
		return "", err
	}
	return front, os.WriteFile(properties, advertised.ReplaceAll(content, []byte("${1}"+front)), 0o600)
}
