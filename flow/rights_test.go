package flow_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/plain"

	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// Who reads at a may not see meshd's topics there: then nothing of what is in orders can be told apart, and nothing comes home.
func TestReaderMayNotSeeTheRegistry(t *testing.T) {
	for _, provenance := range []string{"headers", "batch"} {
		t.Run(provenance, func(t *testing.T) { readerMayNotSeeTheRegistry(t, provenance) })
	}
}

func readerMayNotSeeTheRegistry(t *testing.T, provenance string) {
	ctx := deadline(t)
	t.Setenv("FLOW_TEST_OUTSIDE", "outside")
	t.Setenv("FLOW_TEST_ADMIN", "admin")
	allow := func(r kmsg.ACLResourceType, name string, op kmsg.ACLOperation) kfake.ACL {
		return kfake.ACL{Resource: r, Name: name, Pattern: kmsg.ACLResourcePatternTypeLiteral, Operation: op, Allow: true}
	}
	a, admin := secured(t, kfake.EnableACLs(), kfake.User("PLAIN", "outside", "outside",
		allow(kmsg.ACLResourceTypeTopic, "orders", kmsg.ACLOperationAll),
		allow(kmsg.ACLResourceTypeCluster, "kafka-cluster", kmsg.ACLOperationDescribe),
	))
	b := fake(t)
	text := fmt.Sprintf(`
version: 1
mesh: test
intervals: {discovery: 200ms, progress: 200ms}
clusters:
  a:
    bootstrap: [%q]
    sasl: {mechanism: PLAIN, username: admin, password_env: FLOW_TEST_ADMIN}
    from_outside: {sasl: {mechanism: PLAIN, username: outside, password_env: FLOW_TEST_OUTSIDE}}
  b: {bootstrap: [%q]}
nodes:
  a-1: {datacenter: a, address: 127.0.0.1}
  b-1: {datacenter: b, address: 127.0.0.2}
links:
  - {between: [a, b], naming: identity, provenance: %s, topics: {include: ["orders"]}}
`, a.ListenAddrs()[0], b.ListenAddrs()[0], provenance)
	top, err := topology.Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	as := client(t, a.ListenAddrs(), kgo.SASL(plain.Auth{User: "admin", Pass: "admin"}.AsMechanism()), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	bs := client(t, b.ListenAddrs(), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	create(ctx, t, as, "orders", 1)
	create(ctx, t, bs, "orders", 1)
	produce(ctx, t, bs, "orders", 1, 0, 10)
	na, nb := manager(t, "a"), manager(t, "b")
	if err := na.Apply(top, all("b", "a", 1)); err != nil {
		t.Fatal(err)
	}
	if err := nb.Apply(top, all("a", "b", 1)); err != nil {
		t.Fatal(err)
	}
	end := func(cl *kgo.Client) int64 {
		at, err := kadm.NewClient(cl).ListEndOffsets(ctx, "orders")
		if err != nil {
			t.Fatal(err)
		}
		o, _ := at.Lookup("orders", 0)
		return o.Offset
	}
	for end(admin) < 10 && kafka.Sleep(ctx, 20*time.Millisecond) == nil { //nolint:revive // waits
	}
	await(ctx, t, nb, "a reason", func(p flow.PairStatus) bool { return pairReason(p).Code == kafka.PermissionDenied })
	_ = kafka.Sleep(ctx, time.Second)
	if n := end(bs); n != 10 {
		t.Errorf("b's log ends at %d, where 10 were produced", n)
	}
}
