package writers

import (
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/meshd/meshd/internal/kafkatest"
)

// A destination that does not give meshd's user every right.
func TestMissingRights(t *testing.T) {
	kafkatest.RealOnly(t, "package kafkatest has no authorizer for kfake")
	c := kafkatest.Start(t, "eu", kafkatest.WithSASL(), kafkatest.WithProperties(map[string]string{
		"authorizer.class.name":          "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
		"super.users":                    "User:meshd;User:ANONYMOUS", // ANONYMOUS are the brokers among themselves
		"transactional.id.expiration.ms": "4000", "transaction.remove.expired.transaction.cleanup.interval.ms": "500",
	}))
	t.Setenv("WRITERS_PASSWORD", "limited-secret")
	t.Run("NoTransactions", func(t *testing.T) { noTransactions(t, c) })
	t.Run("NoMarkers", func(t *testing.T) { noMarkers(t, c) })
}

// limited is a way that is written as a user who may use topics, and no more.
func limited(t *testing.T, c *kafkatest.Cluster, user string) way {
	t.Helper()
	rs, err := admin(t, c).AlterUserSCRAMs(t.Context(), nil, []kadm.UpsertSCRAM{
		{User: user, Mechanism: kadm.ScramSha256, Iterations: 4096, Password: "limited-secret"},
	})
	must(t, err)
	must(t, rs.Error())
	allow(t, c, user, kadm.NewACLs().Clusters().Operations(kadm.OpDescribe, kadm.OpDescribeConfigs, kadm.OpIdempotentWrite))
	allow(t, c, user, kadm.NewACLs().Topics("*").Operations(kadm.OpAll))
	w := one(t, source(t), c)
	w.origin, w.mesh = user, "writers-"+user
	w.login = fmt.Sprintf(", sasl: {mechanism: SCRAM-SHA-256, username: %s, password_env: WRITERS_PASSWORD}", user)
	return w
}

func allow(t *testing.T, c *kafkatest.Cluster, user string, acls *kadm.ACLBuilder) {
	t.Helper()
	rs, err := admin(t, c).CreateACLs(t.Context(), acls.Allow("User:"+user).AllowHosts("*"))
	must(t, err)
	for _, r := range rs {
		must(t, r.Err)
	}
}

func allowTransactions(t *testing.T, c *kafkatest.Cluster, user string) {
	t.Helper()
	allow(t, c, user, kadm.NewACLs().TransactionalIDs("meshd.").ResourcePatternType(kmsg.ACLResourcePatternTypePrefixed).Operations(kadm.OpWrite, kadm.OpDescribe))
}

// Writers: a cluster on which meshd may use no transactional id is copied to at least once, which is said; granted, the next owner has it.
func noTransactions(t *testing.T, c *kafkatest.Cluster) {
	w := limited(t, c, "plain")
	topic := w.topics[0]
	f := w.feed(t, topic)
	o := w.start(t, "eu-1")
	o.awaitNext(topic, 0, f.add(100))
	r := o.awaitSays("at_least_once")
	for _, word := range []string{"--transactional-id", "--operation Write"} {
		if !strings.Contains(r.Hint, word) {
			t.Errorf("the hint does not say %s: %+v", word, r)
		}
	}
	o.Close()
	o = w.start(t, "eu-1")
	o.awaitNext(topic, 0, f.add(100))
	o.awaitSays("at_least_once")
	o.Close()
	allowTransactions(t, c, "plain")
	o = w.start(t, "eu-2")
	o.awaitNext(topic, 0, f.add(100))
	if r, ok := o.says()["at_least_once"]; ok {
		t.Errorf("with the right it still says %+v", r)
	}
	w.same(t, topic)
}

// Writers, point 4: where the producer id changed and the old one can't be shut out, for want of a right on the cluster, that is said.
func noMarkers(t *testing.T, c *kafkatest.Cluster) {
	w := limited(t, c, "marks")
	allowTransactions(t, c, "marks")
	topic := w.topics[0]
	f := w.feed(t, topic)
	o := w.start(t, "eu-1")
	o.awaitNext(topic, 0, f.add(100))
	if said := o.says(); len(said) > 0 {
		t.Errorf("nothing is wrong yet, but it says %v", said)
	}
	before := o.writer(topic, 0)
	o.Close()
	awaitExpired(t, c, w.txnID(topic))
	heir := w.start(t, "eu-2")
	heir.awaitNext(topic, 0, f.add(100))
	if after := heir.writer(topic, 0); idOf(before) == idOf(after) {
		t.Fatalf("writer %s before, %s after", before, after)
	}
	r := heir.awaitSays("predecessor_unfenced")
	if !strings.Contains(r.Hint, "Alter") {
		t.Errorf("the hint does not name the right: %+v", r)
	}
	t.Logf("it says: %s (%s)", r.Text, r.Hint)
	w.same(t, topic)
}
