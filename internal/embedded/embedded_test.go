package embedded_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"

	"github.com/meshd/meshd/internal/embedded"
	"github.com/meshd/meshd/topology"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const limit = 20 * time.Second

func start(t *testing.T) *embedded.Clusters {
	t.Helper()
	c := &embedded.Clusters{}
	t.Cleanup(c.Close)
	return c
}

func dial(t *testing.T, c *embedded.Clusters, a topology.Alias, id string) *kgo.Client {
	t.Helper()
	addrs, err := c.Addresses(a)
	if err != nil {
		t.Fatal(err)
	}
	// A new connection is waited for as long as a request may take, whatever the request's context says.
	cl, err := kgo.NewClient(kgo.SeedBrokers(addrs...), kgo.ClientID(id), kgo.RequestRetries(0), kgo.RequestTimeoutOverhead(500*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

// ask asks the cluster how many topics it has. No answer in time is context.DeadlineExceeded.
func ask(t *testing.T, cl *kgo.Client, patience time.Duration) (topics int, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = nil // all
	resp, err := req.RequestWith(ctx, cl)
	if err != nil {
		return 0, err
	}
	return len(resp.Topics), nil
}

// answers fails unless the cluster answers in time, and with what it held.
func answers(t *testing.T, cl *kgo.Client) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for {
		topics, err := ask(t, cl, limit)
		if err == nil && topics == 1 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("no answer after %s: %d topics, %v", limit, topics, err)
		}
	}
}

func seed(t *testing.T, cl *kgo.Client) {
	t.Helper()
	if _, err := kadm.NewClient(cl).CreateTopic(t.Context(), 1, 1, nil, "orders"); err != nil {
		t.Fatal(err)
	}
	answers(t, cl)
}

func TestALostClusterReturnsWithItsData(t *testing.T) {
	for name, how := range map[string]embedded.Loss{"silent": embedded.Silent, "refusing": embedded.Refusing} {
		t.Run(name, func(t *testing.T) {
			c := start(t)
			us, eu := dial(t, c, "us", "app"), dial(t, c, "eu", "app")
			seed(t, us)
			seed(t, eu)
			c.Cut("us", how)
			for _, cl := range []*kgo.Client{us, dial(t, c, "us", "late")} { // a connection that was there, and a new one
				_, err := ask(t, cl, 300*time.Millisecond)
				if silent := errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded); silent != (how == embedded.Silent) || err == nil {
					t.Errorf("while it is lost: %v", err)
				}
			}
			answers(t, eu)
			c.Mend("us")
			answers(t, us)
		})
	}
}

// A request that was sent into the silence is not served when that ends.
func TestWhatWasSentIntoTheSilenceIsLost(t *testing.T) {
	c := start(t)
	us := dial(t, c, "us", "app")
	seed(t, us)
	c.Cut("us", embedded.Silent)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := kadm.NewClient(us).CreateTopic(ctx, 1, 1, nil, "second"); err == nil {
		t.Error("a silent cluster answered")
	}
	c.Mend("us")
	answers(t, us) // one topic: the second was never made
}

func TestKillShutsOutOneClientAlone(t *testing.T) {
	c := start(t)
	node, app := dial(t, c, "us", "meshd/us-1"), dial(t, c, "us", "app")
	seed(t, app)
	answers(t, node)
	c.Kill("meshd/us-1")
	for _, cl := range []*kgo.Client{node, dial(t, c, "us", "meshd/us-1")} {
		if _, err := ask(t, cl, limit); err == nil {
			t.Error("a killed client was answered")
		}
	}
	answers(t, app)
	c.Revive("meshd/us-1")
	answers(t, node)
}

func TestSeverCutsOneLineAlone(t *testing.T) {
	c := start(t)
	us, eu, app := dial(t, c, "us", "meshd/eu-1"), dial(t, c, "eu", "meshd/eu-1"), dial(t, c, "us", "app")
	seed(t, us)
	seed(t, eu)
	c.Sever("meshd/eu-1", "us")
	for _, cl := range []*kgo.Client{us, dial(t, c, "us", "meshd/eu-1")} {
		if _, err := ask(t, cl, limit); err == nil {
			t.Error("a client whose line is cut was answered")
		}
	}
	answers(t, eu)
	answers(t, app)
	c.Join("meshd/eu-1", "us")
	answers(t, us)
}
