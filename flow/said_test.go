package flow_test

import (
	"context"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/plain"

	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// logged keeps what a manager logs.
type logged struct {
	to    io.Writer
	mu    sync.Mutex
	lines []string
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	l.lines = append(l.lines, string(b))
	l.mu.Unlock()
	return l.to.Write(b)
}

// with are the lines that hold all of the words.
func (l *logged) with(words ...string) (found []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
lines:
	for _, line := range l.lines {
		for _, w := range words {
			if !strings.Contains(line, w) {
				continue lines
			}
		}
		found = append(found, line)
	}
	return found
}

// once waits for a line with all of the words, and fails if there are several.
func (l *logged) once(ctx context.Context, t *testing.T, words ...string) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		found := l.with(words...)
		if len(found) > 1 {
			t.Fatalf("said %d times: %s", len(found), found[1])
		}
		if len(found) == 1 {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("the log never said %s", words)
		}
	}
}

// secured is a cluster that wants a password, with a client of its administrator.
func secured(t *testing.T, more ...kfake.Opt) (*kfake.Cluster, *kgo.Client) {
	t.Helper()
	c := fake(t, append(more, kfake.EnableSASL(), kfake.Superuser("PLAIN", "admin", "admin"))...)
	return c, client(t, c.ListenAddrs(), kgo.SASL(plain.Auth{User: "admin", Pass: "admin"}.AsMechanism()))
}

// login makes a topology's cluster eu be one that wants a password.
func login(t *testing.T, top *topology.Topology, user, password string) {
	t.Helper()
	t.Setenv("FLOW_TEST_PASSWORD", password)
	c := top.Clusters["eu"]
	c.Inside.SASL = &topology.SASL{Mechanism: "PLAIN", Username: user, PasswordEnv: "FLOW_TEST_PASSWORD"}
	top.Clusters["eu"] = c
}

func pairReason(p flow.PairStatus) kafka.Reason {
	if p.Reason == nil {
		return kafka.Reason{}
	}
	return *p.Reason
}

// A refused password is not a cluster that can't be reached; that it is down first and refuses then is said as two things.
func TestRefusedLoginIsNamed(t *testing.T) {
	ctx := deadline(t)
	us := fake(t)
	eu, _ := secured(t)
	top := pairOf(t, us.ListenAddrs(), eu.ListenAddrs())
	login(t, top, "meshd", "guess")
	eu.ControlKey(int16(kmsg.SASLAuthenticate), func(req kmsg.Request) (kmsg.Response, error, bool) {
		eu.KeepControl()
		no := req.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		no.ErrorCode = kerr.SaslAuthenticationFailed.Code // as Kafka says it; kfake merely hangs up
		return no, nil, true
	})
	log := &logged{to: t.Output()}
	m := managerTo(t, "eu-1", "eu", log)
	if err := m.Apply(top, all("us", "eu", 1)); err != nil {
		t.Fatal(err)
	}
	st := await(ctx, t, m, "the refusal", func(p flow.PairStatus) bool { return pairReason(p).Code == "login_refused" })
	if !strings.Contains(st.Reason.Hint, "password") {
		t.Errorf("hint: %s", st.Reason.Hint)
	}
	for _, c := range m.Status().Clusters {
		if c.Alias == "eu" && c.Code != "login_refused" {
			t.Errorf("cluster eu: %+v", c)
		}
	}
	log.once(ctx, t, "pair does not go on", "login_refused", "password")
	if found := log.with("guess"); len(found) > 0 {
		t.Errorf("the password is in the log: %s", found)
	}
}

// A topic that may not be made names the right that is missing; each thing is said once, and again that it goes on.
func TestMissingRightIsNamed(t *testing.T) {
	ctx := deadline(t)
	us := fake(t)
	allow := func(r kmsg.ACLResourceType, name string, p kmsg.ACLResourcePatternType, op kmsg.ACLOperation) kfake.ACL {
		return kfake.ACL{Resource: r, Name: name, Pattern: p, Operation: op, Allow: true}
	}
	eu, admin := secured(t, kfake.EnableACLs(), kfake.User("PLAIN", "meshd", "right",
		allow(kmsg.ACLResourceTypeTopic, "meshd.", kmsg.ACLResourcePatternTypePrefixed, kmsg.ACLOperationAll),
		allow(kmsg.ACLResourceTypeTransactionalId, "meshd.", kmsg.ACLResourcePatternTypePrefixed, kmsg.ACLOperationAll),
		allow(kmsg.ACLResourceTypeCluster, "kafka-cluster", kmsg.ACLResourcePatternTypeLiteral, kmsg.ACLOperationDescribe),
		allow(kmsg.ACLResourceTypeTopic, "*", kmsg.ACLResourcePatternTypeLiteral, kmsg.ACLOperationDescribe),
	))
	top := pairOf(t, us.ListenAddrs(), eu.ListenAddrs())
	login(t, top, "meshd", "right")
	src := client(t, us.ListenAddrs())
	create(ctx, t, src, "orders", 1)
	produce(ctx, t, src, "orders", 1, 0, 10)
	log := &logged{to: t.Output()}
	m := managerTo(t, "eu-1", "eu", log)
	if err := m.Apply(top, all("us", "eu", 1)); err != nil {
		t.Fatal(err)
	}
	log.once(ctx, t, "level=WARN", "topic does not go on", "topic=orders", "permission_denied", "kafka-acls.sh", "--operation Create", "--topic us.orders")
	st := await(ctx, t, m, "the refusal", func(p flow.PairStatus) bool { return reasonOf(p, "orders") == "permission_denied" })
	if text := st.Topics[0].Reason.Text; strings.Count(text, "AUTHORIZATION_FAILED") != 1 || strings.Contains(text, "\n") {
		t.Errorf("doubled: %q", text)
	}
	acls := kadm.NewACLs().Topics("us.").ResourcePatternType(kmsg.ACLResourcePatternTypePrefixed).Operations(kadm.OpAll).Allow("User:meshd").AllowHosts("*")
	if _, err := kadm.NewClient(admin).CreateACLs(ctx, acls); err != nil {
		t.Fatal(err)
	}
	log.once(ctx, t, "level=INFO", "topic goes on again", "topic=orders")
}

// What a single partition is stopped for is in the log, and that it goes on.
func TestStoppedPartitionIsLogged(t *testing.T) {
	t.Parallel()
	us, eu := fake(t), fake(t)
	top, ctx := pairOf(t, us.ListenAddrs(), eu.ListenAddrs()), deadline(t)
	src := client(t, us.ListenAddrs(), kgo.ProducerBatchCompression(kgo.NoCompression()))
	create(ctx, t, src, "orders", 1)
	produce(ctx, t, src, "orders", 1, 0, 10)
	log := &logged{to: t.Output()}
	m := managerTo(t, "eu-1", "eu", log)
	if err := m.Apply(top, all("us", "eu", 1)); err != nil {
		t.Fatal(err)
	}
	records(ctx, t, eu.ListenAddrs(), "us.orders", 10)
	limit(ctx, t, eu.ListenAddrs(), "5000")
	if err := src.ProduceSync(ctx, &kgo.Record{Topic: "orders", Key: []byte("big"), Value: make([]byte, 10_000)}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	log.once(ctx, t, "level=WARN", "partition does not go on", "topic=orders", "partition=0", "record_too_large", "max.message.bytes", "us.orders")
	limit(ctx, t, eu.ListenAddrs(), "1000000")
	log.once(ctx, t, "level=INFO", "partition goes on again", "topic=orders", "partition=0", "record_too_large")
}

// A gap that is stepped over by policy is recorded with its offsets.
func TestGapIsLogged(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	log := &logged{to: t.Output()}
	gappedTo(ctx, t, "continue", log)
	log.once(ctx, t, "level=WARN", "gap", "topic=orders", "partition=0", "from=100", "to=149")
}

// Secrets that can't be read are told by the status too: a link that they keep from running must not look idle.
func TestUnreadableSecretIsNamed(t *testing.T) {
	us, eu := fake(t), fake(t)
	top := pairOf(t, us.ListenAddrs(), eu.ListenAddrs())
	c := top.Clusters["eu"]
	c.Inside.TLS = &topology.TLS{CA: t.TempDir() + "/none.pem"}
	top.Clusters["eu"] = c
	m := manager(t, "eu")
	if err := m.Apply(top, all("us", "eu", 1)); err == nil {
		t.Error("no error")
	}
	for _, c := range m.Status().Clusters {
		if c.Alias == "eu" && c.Code == "secrets_unreadable" && strings.Contains(c.Error, "none.pem") && strings.Contains(c.Hint, "--secrets-dir") {
			return
		}
	}
	t.Errorf("status: %+v", m.Status().Clusters)
}
