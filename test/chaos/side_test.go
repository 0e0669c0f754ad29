package chaos

import (
	"path/filepath"
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
				if _, err := kafkatest.Front(s.inner, dir, "INTERNAL"); err != nil {
					return err
				}
			}
			front, err := kafkatest.Front(s.net, dir, "CLIENT")
			s.fronts = append(s.fronts, front)
			return err
		}))
	return s
}
