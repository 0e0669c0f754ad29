package kafkatest

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/meshd/meshd/internal/kafkatest/certs"
	"github.com/meshd/meshd/internal/mend"
)

// fake is a cluster of kfake. It stops and starts as a whole, and remembers its ports.
type fake struct {
	config  config
	dir     string
	tls     *tls.Config
	ports   []int
	cluster *kfake.Cluster // nil while it is down
}

func newFake(c *Cluster) (*fake, error) {
	f := &fake{config: c.config, dir: c.dir}
	if !c.config.tls {
		return f, nil
	}
	if err := certs.Write(c.tlsDir()); err != nil {
		return nil, err
	}
	var err error
	f.tls, err = certs.Server(c.tlsDir(), c.config.clientAuth)
	return f, err
}

func (f *fake) up() error {
	if f.cluster != nil {
		return nil
	}
	cluster, err := kfake.NewCluster(f.options()...)
	if err != nil {
		return err
	}
	mend.Fetch(cluster)
	f.cluster, f.ports = cluster, nil
	for _, address := range cluster.ListenAddrs() {
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return err
		}
		number, err := strconv.Atoi(port)
		if err != nil {
			return err
		}
		f.ports = append(f.ports, number)
	}
	return nil
}

func (f *fake) options() []kfake.Opt {
	options := []kfake.Opt{
		kfake.NumBrokers(f.config.brokers), kfake.BrokerConfigs(f.config.properties),
		kfake.ClusterID(filepath.Base(filepath.Dir(f.dir))), // by default all have the same
	}
	if f.ports != nil {
		options = append(options, kfake.Ports(f.ports...))
	}
	if f.config.network != nil {
		options = append(options, kfake.ListenFn(f.listen))
	}
	if f.config.restartable {
		options = append(options, kfake.DataDir(filepath.Join(f.dir, "data")))
	}
	if f.tls != nil {
		options = append(options, kfake.TLS(f.tls))
	}
	if f.config.sasl {
		options = append(options, kfake.EnableSASL())
		for _, mechanism := range mechanisms {
			options = append(options, kfake.Superuser(mechanism, username, password))
		}
	}
	return options
}

func (f *fake) bootstrap() []string {
	addresses := make([]string, 0, len(f.ports))
	for _, port := range f.ports {
		addresses = append(addresses, fmt.Sprintf("127.0.0.1:%d", port))
	}
	return addresses
}

func (f *fake) stop(brokers []int) error {
	if len(brokers) > 0 {
		return errors.New("kfake stops as a whole: no single broker")
	}
	if !f.config.restartable {
		return errors.New("the test must start it with kafkatest.Restartable()")
	}
	f.close()
	return nil
}

func (f *fake) kill(brokers []int) error { return f.stop(brokers) }

func (f *fake) signal(syscall.Signal, []int) error {
	return errors.New("kfake has no process to signal")
}

func (f *fake) launch([]int) error { return errors.New("kfake stops and starts as a whole") }

func (f *fake) close() {
	if f.cluster != nil {
		f.cluster.Close()
		f.cluster = nil
	}
}

func (f *fake) running(int) bool { return f.cluster != nil }
