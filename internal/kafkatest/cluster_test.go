package kafkatest

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/meshd/meshd/internal/kafkatest/logread"
)

func TestDataSurvives(t *testing.T) {
	c := Start(t, "us", Restartable())
	topic := UniqueTopic(t, "orders")
	c.CreateTopic(t, topic, 3)
	before := c.Bootstrap()
	want := c.Produce(t, topic, Workload{Seed: 1, Records: 100, Partitions: 3})

	c.Restart(t)
	sameRecords(t, c.ReadAll(t, topic, logread.Committed), want)
	want = append(want, c.Produce(t, topic, Workload{Seed: 2, Records: 100, Partitions: 3})...)
	c.Kill9(t)
	if err := ping(t, c); err == nil {
		t.Error("a killed cluster answers")
	}
	c.Restart(t)
	sameRecords(t, c.ReadAll(t, topic, logread.Committed), want)
	if after := c.Bootstrap(); strings.Join(after, ",") != strings.Join(before, ",") {
		t.Errorf("it came back at %s, not at %s", after, before)
	}
}

func ping(t *testing.T, c *Cluster, options ...kgo.Opt) error {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	client := c.Client(t, append(options, kgo.RequestRetries(0))...)
	return client.Ping(ctx)
}

func TestSecurity(t *testing.T) {
	tests := []struct {
		name    string
		options []Option
		bad     []kgo.Opt // a client that must be turned away
	}{
		{"tls and sasl", []Option{WithTLS(), WithSASL()}, []kgo.Opt{login(scram.Auth{User: username, Pass: "wrong"}.AsSha512Mechanism())}},
		{"mutual tls", []Option{WithMutualTLS()}, []kgo.Opt{kgo.DialTLSConfig(nil)}},
		{"sasl", []Option{WithSASL()}, []kgo.Opt{login(plain.Auth{User: username, Pass: "wrong"}.AsMechanism())}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := Start(t, "us", test.options...)
			topic := UniqueTopic(t, "orders")
			c.CreateTopic(t, topic, 2)
			want := c.Produce(t, topic, Workload{Records: 100, Partitions: 2})
			sameRecords(t, c.ReadAll(t, topic, logread.Committed), want)
			if c.config.sasl {
				eachMechanism(t, c)
			}
			if err := ping(t, anonymous(c), test.bad...); err == nil {
				t.Error("a client with bad credentials got in")
			}
		})
	}
}

// anonymous is the cluster for clients that bring their own login.
func anonymous(c *Cluster) *Cluster {
	other := *c
	other.config.sasl = false
	return &other
}

func login(mechanism sasl.Mechanism) kgo.Opt { return kgo.SASL(mechanism) }

func eachMechanism(t *testing.T, c *Cluster) {
	auth := scram.Auth{User: username, Pass: password}
	for _, mechanism := range []sasl.Mechanism{
		plain.Auth{User: username, Pass: password}.AsMechanism(), auth.AsSha256Mechanism(), auth.AsSha512Mechanism(),
	} {
		if err := ping(t, anonymous(c), kgo.SASL(mechanism)); err != nil {
			t.Errorf("logging in with %s: %v", mechanism.Name(), err)
		}
	}
}

func TestThreeBrokers(t *testing.T) {
	c := Start(t, "us", WithBrokers(3))
	if n := len(c.Bootstrap()); n != 3 {
		t.Fatalf("%d brokers, not 3", n)
	}
	topic := UniqueTopic(t, "orders")
	c.CreateTopic(t, topic, 6)
	want := c.Produce(t, topic, Workload{Records: 100, Partitions: 6})
	if Real() {
		c.Kill9(t, 2)
		sameRecords(t, c.ReadAll(t, topic, logread.Uncommitted), want) // the others take over within the broker's session
		c.Restart(t, 2)
	}
	sameRecords(t, c.ReadAll(t, topic, logread.Committed), want)
}

func TestProperties(t *testing.T) {
	c := Start(t, "us", WithProperties(map[string]string{"message.max.bytes": "2000"}))
	admin := kadm.NewClient(c.Client(t))
	metadata, err := admin.BrokerMetadata(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	brokers, err := admin.DescribeBrokerConfigs(t.Context(), metadata.Brokers.NodeIDs()...)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(brokers[0].Configs, func(c kadm.Config) bool { return c.Key == "message.max.bytes" })
	if i < 0 || brokers[0].Configs[i].MaybeValue() != "2000" {
		t.Errorf("message.max.bytes did not reach the broker: %v", brokers[0].Configs)
	}
}

func TestSignal(t *testing.T) {
	RealOnly(t, "kfake has no process")
	c := Start(t, "us")
	c.Signal(t, syscall.SIGSTOP)
	if err := ping(t, c); err == nil {
		t.Error("a stopped broker answers")
	}
	c.Signal(t, syscall.SIGCONT)
	if err := ping(t, c); err != nil {
		t.Errorf("a broker that was woken does not answer: %v", err)
	}
}

func TestSharedIsOneCluster(t *testing.T) {
	RealOnly(t, "with kfake each test has its own")
	if a, b := Shared(t, "shared"), Shared(t, "shared"); a != b {
		t.Error("two clusters of one name")
	}
}

func TestBrokerThatDoesNotStartSaysWhy(t *testing.T) {
	RealOnly(t, "kfake takes any property")
	_, err := start("us", newConfig([]Option{WithProperties(map[string]string{"num.network.threads": "many"})}))
	if err == nil || !strings.Contains(err.Error(), "num.network.threads") {
		t.Errorf("not the reason: %v", err)
	}
}

// TestPanicLeavesNoBroker runs this test's other half in a process of its own, which panics with a broker running.
func TestPanicLeavesNoBroker(t *testing.T) {
	RealOnly(t, "kfake is part of the process")
	if os.Getenv("KAFKATEST_PANIC") != "" {
		c := Start(t, "us")
		println("broker", c.backend.(*processes).brokers[0].pid)
		panic("on purpose")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), "KAFKATEST_PANIC=yes", "TMPDIR="+t.TempDir()) // what it leaves goes with this test
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatal("it did not panic")
	}
	_, rest, found := strings.Cut(string(out), "broker ")
	number, _, _ := strings.Cut(rest, "\n")
	pid, err := strconv.Atoi(number)
	if !found || err != nil {
		t.Fatalf("it did not say its broker:\n%s", out)
	}
	awaitGone(t, pid)
}

func awaitGone(t *testing.T, pid int) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for range 200 {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		<-tick.C
	}
	t.Errorf("broker %d outlived its test", pid)
}
