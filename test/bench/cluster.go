package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// cluster is one broker of Apache Kafka. It is reached at address; and, as clients far away do, at distant, behind which somebody
// must forward to outside.
type cluster struct {
	alias                     string
	address, distant, outside string
	broker                    *process
}

// startCluster makes a cluster in a folder and waits until it takes requests.
func startCluster(script, dir, alias string) (*cluster, error) {
	base, err := freeBlock(5)
	if err != nil {
		return nil, err
	}
	at := func(n int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(base+n)) }
	c := &cluster{alias: alias, address: at(0), outside: at(3), distant: at(4)}
	arguments := []string{"create", alias, "--dir", dir, "--port", strconv.Itoa(base), "--heap", "512m"}
	for _, property := range c.properties(at) {
		arguments = append(arguments, "--property", property)
	}
	if out, err := exec.Command(script, arguments...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("making cluster %s: %w\n%s", alias, err, out)
	}
	if c.broker, err = launch(exec.Command(script, "broker", alias, "1", "--dir", dir), filepath.Join(dir, alias), "launch"); err != nil {
		return nil, err
	}
	if out, err := exec.Command(script, "wait", alias, "--dir", dir).CombinedOutput(); err != nil {
		c.broker.Kill()
		return nil, fmt.Errorf("waiting for cluster %s: %w\n%s", alias, err, out)
	}
	return c, nil
}

// properties add the listener for clients far away, and let deleted topics go at once: each run leaves a gigabyte.
func (c *cluster) properties(at func(int) string) []string {
	clients := fmt.Sprintf("CLIENT://%s,INTERNAL://%s,", at(0), at(1))
	return []string{
		"listeners=" + clients + "CONTROLLER://" + at(2) + ",OUTSIDE://" + c.outside,
		"advertised.listeners=" + clients + "CONTROLLER://" + at(2) + ",OUTSIDE://" + c.distant,
		"listener.security.protocol.map=CLIENT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT,OUTSIDE:PLAINTEXT",
		"log.segment.delete.delay.ms=1000",
	}
}

// freeBlock finds ports in a row on which nothing listens, below those that systems give to connections.
func freeBlock(n int) (int, error) {
next:
	for range 100 {
		base := 10_000 + n*rand.IntN(22_000/n)
		for port := base; port < base+n; port++ {
			l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
			if err != nil {
				continue next
			}
			l.Close()
		}
		return base, nil
	}
	return 0, errors.New("no free ports in a row")
}

// client returns a client of the cluster; the caller closes it.
func (c *cluster) client(options ...kgo.Opt) (*kgo.Client, error) {
	client, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(c.address), kgo.MetadataMinAge(50 * time.Millisecond),
		kgo.BrokerMaxReadBytes(200 << 20), kgo.UnknownTopicRetries(-1), // a topic that was just made has no leader yet
	}, options...)...)
	if err != nil {
		return nil, fmt.Errorf("making a client of %s: %w", c.alias, err)
	}
	return client, nil
}

// with calls a function with a client of the cluster.
func (c *cluster) with(ctx context.Context, do func(context.Context, *kgo.Client) error) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	defer client.Close()
	return do(ctx, client)
}
