package chaos

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshd/meshd/internal/kafkatest"
	"github.com/meshd/meshd/internal/wire"
)

// side is a cluster behind a network that can be broken. All clients go through it; only those of nodes are struck.
type side struct {
	*kafkatest.Cluster
	alias    string
	net      *wire.Network
	fronts   []string // addresses of the brokers, as clients see them
	disk     disk     // of fullBroker
	settings string   // further keys in the topology, behind a comma
}

// startSide starts a cluster whose brokers tell clients to come through the network.
func startSide(t *testing.T, alias string, brokers int, properties map[string]string, small bool) *side {
	t.Helper()
	s := &side{alias: alias, net: wire.New()}
	t.Cleanup(func() {
		s.disk.remove() // the brokers have ended
		s.net.Close()
	})
	s.Cluster = kafkatest.Start(t, alias, kafkatest.WithBrokers(brokers), kafkatest.WithProperties(properties),
		kafkatest.BeforeStart(func(broker int, dir string) error {
			if small && broker == fullBroker {
				s.disk = newDisk(filepath.Join(dir, "data"))
			}
			return s.putBefore(filepath.Join(dir, "server.properties"))
		}))
	return s
}

// putBefore puts the network before a broker: clients are told to come to the front.
func (s *side) putBefore(properties string) error {
	content, err := os.ReadFile(properties)
	if err != nil {
		return err
	}
	const listener = "\nadvertised.listeners=CLIENT://"
	before, after, found := strings.Cut(string(content), listener)
	address, after, ends := strings.Cut(after, ",")
	if !found || !ends {
		return fmt.Errorf("%s advertises no CLIENT", properties)
	}
	front, err := s.net.Forward("127.0.0.1:0", address)
	if err != nil {
		return err
	}
	s.fronts = append(s.fronts, front)
	return os.WriteFile(properties, []byte(before+listener+front+","+after), 0o600)
}
