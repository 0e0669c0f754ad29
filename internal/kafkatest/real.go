package kafkatest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	readyWithin = 180 * time.Second // a broker needs 3 s; a machine of two cores under load much more
	stopGrace   = 30 * time.Second

	// shortLived has the JVM start with half the work: the full compiler and the parallel collector pay later than a test ends.
	shortLived = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
)

// processes is a cluster of Apache Kafka's own brokers, each a child of this process.
type processes struct {
	cluster   *Cluster
	script    string
	addresses []string
	brokers   []*process // broker n is at n-1; nil before its first start
}

// newReal has the script make the cluster on disk. The brokers are started from here, for so their processes are this one's
// children, and can be signalled, waited for and taken along.
func newReal(c *Cluster) (*processes, error) {
	path, err := script()
	if err != nil {
		return nil, err
	}
	r := &processes{cluster: c, script: path, brokers: make([]*process, c.config.brokers)}
	if err := runScript(path, r.createArguments()...); err != nil {
		return nil, err
	}
	out, err := exec.Command(path, "bootstrap", c.alias, "--dir", filepath.Dir(c.dir)).Output()
	if err != nil {
		return nil, fmt.Errorf("asking for the bootstrap: %w", err)
	}
	r.addresses = strings.Split(string(bytes.TrimSpace(out)), ",")
	for i := range r.brokers {
		if err := r.prepare(i); err != nil {
			return nil, fmt.Errorf("preparing broker %d: %w", i+1, err)
		}
	}
	return r, nil
}

func (r *processes) prepare(i int) (err error) {
	config := r.cluster.config
	if config.network != nil {
		if r.addresses[i], err = Front(config.network, r.brokerDir(i), "CLIENT"); err != nil {
			return err
		}
	}
	if config.beforeStart != nil {
		err = config.beforeStart(i+1, r.brokerDir(i))
	}
	return err
}

func (r *processes) createArguments() []string {
	config := r.cluster.config
	arguments := []string{
		"create", r.cluster.alias, "--dir", filepath.Dir(r.cluster.dir), "--brokers", strconv.Itoa(config.brokers),
		"--security", config.protocol(), "--user", username + ":" + password,
	}
	if config.clientAuth {
		arguments = append(arguments, "--client-auth")
	}
	for key, value := range config.properties {
		arguments = append(arguments, "--property", key+"="+value)
	}
	return arguments
}

func (r *processes) bootstrap() []string { return r.addresses }

func (r *processes) up() error {
	for i, p := range r.brokers {
		if p != nil && p.Running() {
			continue
		}
		if err := r.fork(i); err != nil {
			return fmt.Errorf("starting broker %d: %w", i+1, err)
		}
	}
	return r.awaitEach(r.named(nil))
}

func (r *processes) launch(brokers []int) error {
	for _, n := range brokers {
		if err := r.fork(n - 1); err != nil {
			return fmt.Errorf("starting broker %d: %w", n, err)
		}
	}
	return r.awaitEach(brokers)
}

func (r *processes) awaitEach(brokers []int) error {
	ctx, cancel := context.WithTimeout(context.Background(), readyWithin)
	defer cancel()
	for _, n := range brokers {
		if err := r.await(ctx, n-1); err != nil {
			return fmt.Errorf("waiting for broker %d: %w\n%s", n, err, r.logTail(n-1))
		}
	}
	return nil
}

func (r *processes) fork(i int) error {
	output, err := os.Create(filepath.Join(r.brokerDir(i), "launch.log"))
	if err != nil {
		return err
	}
	cmd := exec.Command(r.script, "broker", r.cluster.alias, strconv.Itoa(i+1), "--dir", filepath.Dir(r.cluster.dir))
	cmd.Stdout, cmd.Stderr = output, output
	cmd.Env = append([]string{"MESHD_KAFKA_JVM=" + shortLived}, os.Environ()...) // the last of a name wins
	r.brokers[i], err = startProcess(cmd)
	return errors.Join(err, output.Close()) // the child has its own
}

// await returns when broker i itself answers that all brokers that run are there.
func (r *processes) await(ctx context.Context, i int) error {
	client, err := kgo.NewClient(append(r.cluster.Opts(), kgo.SeedBrokers(r.addresses[i]), kgo.RequestRetries(0))...)
	if err != nil {
		return err
	}
	defer client.Close()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		asked := r.ask(ctx, client)
		if asked == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not ready after %s: %w", readyWithin, asked)
		case <-r.brokers[i].Done():
			return errors.New("its process ended")
		case <-tick.C:
		}
	}
}

func (r *processes) ask(ctx context.Context, client *kgo.Client) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request := kmsg.NewPtrMetadataRequest()
	request.Topics = []kmsg.MetadataRequestTopic{} // none: the brokers are what is asked for
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		return err
	}
	if up := r.runningCount(); len(response.Brokers) < up {
		return fmt.Errorf("it knows %d brokers of %d", len(response.Brokers), up)
	}
	return nil
}

func (r *processes) runningCount() (n int) {
	for _, p := range r.brokers {
		if p != nil && p.Running() {
			n++
		}
	}
	return n
}

// stop ends the first broker last: it is the controller, which the others ask to let them go.
func (r *processes) stop(brokers []int) error {
	end := func(p *process) error {
		p.end(stopGrace)
		return nil
	}
	brokers = r.named(brokers)
	followers := slices.DeleteFunc(slices.Clone(brokers), func(n int) bool { return n == 1 })
	err := r.each(followers, end)
	if slices.Contains(brokers, 1) {
		err = errors.Join(err, r.each([]int{1}, end))
	}
	return err
}

func (r *processes) kill(brokers []int) error {
	return r.each(r.named(brokers), func(p *process) error {
		p.kill()
		return nil
	})
}

func (r *processes) signal(sig syscall.Signal, brokers []int) error {
	return r.each(r.named(brokers), func(p *process) error { return p.signal(sig) })
}

// named returns all brokers where none is named.
func (r *processes) named(brokers []int) []int {
	if len(brokers) > 0 {
		return brokers
	}
	for i := range r.brokers {
		brokers = append(brokers, i+1)
	}
	return brokers
}

// each calls for the processes of some brokers, beside each other.
func (r *processes) each(brokers []int, do func(*process) error) error {
	results := make(chan error, len(brokers))
	for _, n := range brokers {
		go func() {
			if n < 1 || n > len(r.brokers) || r.brokers[n-1] == nil {
				results <- fmt.Errorf("there is no broker %d", n)
				return
			}
			results <- do(r.brokers[n-1])
		}()
	}
	var err error
	for range brokers {
		err = errors.Join(err, <-results)
	}
	return err
}

// close kills: the data goes with the cluster, so there is nothing to close in order.
func (r *processes) close() {
	for _, p := range r.brokers {
		if p != nil {
			p.kill()
		}
	}
}

func (r *processes) running(broker int) bool {
	p := r.brokers[broker-1]
	return p != nil && p.Running()
}

func (r *processes) brokerDir(i int) string {
	return filepath.Join(r.cluster.dir, "broker-"+strconv.Itoa(i+1))
}

func (r *processes) logTail(i int) string {
	var tail strings.Builder
	for _, name := range []string{"launch.log", "kafka.log"} {
		content, err := os.ReadFile(filepath.Join(r.brokerDir(i), name))
		if err != nil {
			continue // it did not come so far
		}
		lines := strings.Split(strings.TrimSpace(string(content)), "\n")
		fmt.Fprintf(&tail, "%s:\n%s\n", name, strings.Join(lines[max(0, len(lines)-20):], "\n"))
	}
	return tail.String()
}
