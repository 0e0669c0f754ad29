package integration

import (
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/meshd/meshd/internal/kafkatest"
)

// The destination gives meshd's user every right but that of making topics: the node says which one is missing, and goes on when it
// is granted.
func TestCreationDenied(t *testing.T) {
	kafkatest.RealOnly(t, "package kafkatest has no authorizer for kfake")
	us := shared(t, "us")[0]
	eu := &site{alias: "eu", Cluster: kafkatest.Start(t, "eu", kafkatest.WithSASL(), brisk(
		"authorizer.class.name", kafkatest.Authorizer(),
		"super.users", "User:meshd;User:ANONYMOUS"))} // ANONYMOUS are the brokers among themselves
	c := copyOf{us, eu, kafkatest.UniqueTopic(t, "denied")}
	n := produceEach(t, 500, c)
	const user, password = "limited", "limited-secret"
	addUser(t, eu, user, password)
	allow(t, eu, user, kadm.NewACLs().Clusters().Operations(kadm.OpDescribe, kadm.OpIdempotentWrite))
	allow(t, eu, user, kadm.NewACLs().Topics("*").Operations(kadm.OpRead, kadm.OpWrite, kadm.OpDescribe, kadm.OpDescribeConfigs, kadm.OpAlterConfigs))
	allow(t, eu, user, kadm.NewACLs().Topics("meshd.", "heartbeats").ResourcePatternType(kmsg.ACLResourcePatternTypePrefixed).Operations(kadm.OpCreate, kadm.OpAlter))
	allow(t, eu, user, kadm.NewACLs().TransactionalIDs("meshd.").ResourcePatternType(kmsg.ACLResourcePatternTypePrefixed).Operations(kadm.OpWrite, kadm.OpDescribe))
	allow(t, eu, user, kadm.NewACLs().Groups("*").Operations(kadm.OpRead, kadm.OpDescribe))
	eu.more = fmt.Sprintf("sasl: {mechanism: SCRAM-SHA-256, username: %s, password_env: IT_PASSWORD}", user)
	m := newMesh(t, oneWay("us", "eu", c.topic), us, eu)
	m.env = []string{"IT_PASSWORD=" + password}
	m.start(t, "eu-1")
	p := m.awaitReason(t, "eu-1", "permission_denied", c.topic)
	if !strings.Contains(p.Hint, "--operation Create") || !strings.Contains(p.Hint, "--topic "+c.remote()) {
		t.Errorf("the hint does not name the right that is missing: %+v", p)
	}
	allow(t, eu, user, kadm.NewACLs().Topics("us.").ResourcePatternType(kmsg.ACLResourcePatternTypePrefixed).Operations(kadm.OpCreate, kadm.OpAlter))
	c.verify(t, n)
	m.awaitNoReason(t, "eu-1", "permission_denied")
	t.Logf("it said: %s (%s)", p.Text, p.Hint)
}

func addUser(t *testing.T, s *site, user, password string) {
	t.Helper()
	rs, err := kadm.NewClient(s.Client(t)).AlterUserSCRAMs(t.Context(), nil, []kadm.UpsertSCRAM{
		{User: user, Mechanism: kadm.ScramSha256, Iterations: 4096, Password: password},
	})
	if err == nil {
		err = rs.Error()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func allow(t *testing.T, s *site, user string, acls *kadm.ACLBuilder) {
	t.Helper()
	rs, err := kadm.NewClient(s.Client(t)).CreateACLs(t.Context(), acls.Allow("User:"+user).AllowHosts("*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rs {
		if r.Err != nil {
			t.Fatalf("granting %s: %v", user, r.Err)
		}
	}
}
