package kafkatest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Cluster is a Kafka cluster for tests. Its methods end the test that they are given where something does not work.
type Cluster struct {
	alias   string
	config  config
	dir     string // certificates and, of a real cluster, everything else
	backend backend
}

// backend is what a cluster is made of. Brokers are numbered from 1; none named means all.
type backend interface {
	bootstrap() []string
	// up starts brokers that are down, and returns when each takes requests.
	up() error
	stop(brokers []int) error
	kill(brokers []int) error
	signal(sig syscall.Signal, brokers []int) error
	// launch starts some of those that are down, and returns when they take requests.
	launch(brokers []int) error
	running(broker int) bool
	// close ends every broker at once.
	close()
}

// Real says whether tests run on Apache Kafka's own brokers.
func Real() bool {
	switch backend := os.Getenv("MESHD_TEST_KAFKA"); backend {
	case "", "kfake":
		return false
	case "real":
		return true
	default:
		panic("MESHD_TEST_KAFKA is kfake or real, not " + backend)
	}
}

// Authorizer is the class of the authorizer that real brokers have: those of versions 2 keep ACLs in ZooKeeper.
func Authorizer() string {
	if strings.HasPrefix(os.Getenv("MESHD_KAFKA_VERSION"), "2.") {
		return "kafka.security.authorizer.AclAuthorizer"
	}
	return "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
}

// RealOnly skips a test that kfake can't serve. The same test must pass on the real backend: a complete run counts one that was
// skipped everywhere as failed.
func RealOnly(t testing.TB, why string) {
	t.Helper()
	if !Real() {
		t.Skipf("only on real Kafka: %s", why)
	}
}

// Start starts a cluster that belongs to this test, and ends it with the test.
func Start(t testing.TB, alias string, options ...Option) *Cluster {
	t.Helper()
	cluster, err := start(alias, newConfig(options))
	if err != nil {
		t.Fatalf("starting cluster %s: %v", alias, err)
	}
	t.Cleanup(cluster.close)
	return cluster
}

func start(alias string, config config) (*Cluster, error) {
	dir, err := os.MkdirTemp("", "meshd-kafkatest-")
	if err != nil {
		return nil, err
	}
	c := &Cluster{alias: alias, config: config, dir: filepath.Join(dir, alias)}
	if err := c.build(); err != nil {
		_ = os.RemoveAll(dir) // it holds nothing yet
		return nil, err
	}
	if err := c.backend.up(); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *Cluster) build() (err error) {
	if Real() {
		c.backend, err = newReal(c)
	} else {
		c.backend, err = newFake(c)
	}
	return err
}

func (c *Cluster) close() {
	c.backend.close()
	_ = os.RemoveAll(filepath.Dir(c.dir)) // in the folder for temporary files anyway
}

// Alias is the name that the cluster was started by.
func (c *Cluster) Alias() string { return c.alias }

// Bootstrap returns host:port of each broker's listener for clients.
func (c *Cluster) Bootstrap() []string { return c.backend.bootstrap() }

// Stop ends brokers cleanly, all where none is named. Their data stays.
func (c *Cluster) Stop(t testing.TB, brokers ...int) {
	t.Helper()
	c.check(t, "stopping", c.backend.stop(brokers))
}

// Kill9 ends brokers as kill -9 does. (kfake writes everything first: it has no other end.)
func (c *Cluster) Kill9(t testing.TB, brokers ...int) {
	t.Helper()
	c.check(t, "killing", c.backend.kill(brokers))
}

// Restart stops brokers that run, starts them again at the same addresses with their data, and waits until they take requests.
func (c *Cluster) Restart(t testing.TB, brokers ...int) {
	t.Helper()
	c.check(t, "stopping", c.backend.stop(brokers))
	c.check(t, "restarting", c.backend.up())
}

// Launch starts brokers that are down, and leaves others down. Real clusters only.
func (c *Cluster) Launch(t testing.TB, brokers ...int) {
	t.Helper()
	c.check(t, "launching", c.backend.launch(brokers))
}

// Up starts brokers that are down, and waits until all take requests.
func (c *Cluster) Up() error { return c.backend.up() }

// Signal sends a signal to brokers' processes; SIGSTOP and SIGCONT make a broker that hangs. Real clusters only.
func (c *Cluster) Signal(t testing.TB, sig syscall.Signal, brokers ...int) {
	t.Helper()
	c.check(t, "signalling", c.backend.signal(sig, brokers))
}

// Segment is the file of the first segment of a partition at a broker, to be touched only while that is stopped. Real clusters only.
func (c *Cluster) Segment(t testing.TB, broker int, topic string, partition int32) string {
	t.Helper()
	if !Real() {
		t.Fatal("kfake has no segment files")
	}
	return filepath.Join(c.Dir(broker), "data", fmt.Sprintf("%s-%d", topic, partition), fmt.Sprintf("%020d.log", 0))
}

// Running says whether a broker's process has not ended; a kfake cluster is one.
func (c *Cluster) Running(broker int) bool { return c.backend.running(broker) }

// Dir is the folder of a real broker: kafka.log, server.properties, data.
func (c *Cluster) Dir(broker int) string {
	return filepath.Join(c.dir, "broker-"+strconv.Itoa(broker))
}

func (c *Cluster) check(t testing.TB, operation string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s cluster %s: %v", operation, c.alias, err)
	}
}
