package integration

import (
	"fmt"
	"strings"
	"testing"

	"github.com/meshd/meshd/internal/kafkatest"
)

// One side wants TLS and a password, the other TLS and a certificate; records go both ways, with every mechanism.
func TestSecureClusters(t *testing.T) {
	parallel(t)
	us, eu := own(t, "us", kafkatest.WithTLS(), kafkatest.WithSASL()), own(t, "eu", kafkatest.WithMutualTLS())
	m := newMesh(t, link("us, eu", "safe.*"), us, eu)
	m.certificates(t, eu)
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		t.Run(mechanism, func(t *testing.T) {
			m.login(t, us, mechanism, us.Security().Password)
			there, back := copyOf{us, eu, kafkatest.UniqueTopic(t, "safe")}, copyOf{eu, us, kafkatest.UniqueTopic(t, "safe-back")}
			n := produceEach(t, 500, there, back)
			m.write(t)
			m.startAll(t)
			there.verify(t, n)
			back.verify(t, n)
			t.Logf("%d records each way compared equal", n)
		})
	}
	t.Run("wrong password", func(t *testing.T) {
		m.login(t, us, "SCRAM-SHA-512", "guess")
		m.refused(t, us, pick("cluster_unreachable", "login_refused"), "password") // kfake hangs up without a word
	})
	t.Run("no certificate", func(t *testing.T) {
		m.login(t, us, "PLAIN", us.Security().Password)
		eu.more = fmt.Sprintf("tls: {ca: %s}", m.secret(t, "eu-ca.pem", eu.Security().CAFile))
		m.refused(t, eu, "login_refused", "tls")
	})
	t.Run("no TLS", func(t *testing.T) {
		eu.more = ""
		m.refused(t, eu, "cluster_unreachable", "TLS")
	})
}

// refused starts a node that can't get into a cluster: it says so with what to do, and goes on running, for that can be set right.
func (m *mesh) refused(t *testing.T, s *site, code, hint string) {
	t.Helper()
	m.write(t)
	n := m.start(t, "eu-1")
	p, saw := m.findReason(t, "eu-1", code, "cluster "+s.alias)
	if saw != "" {
		t.Errorf("the status does not say %s of %s: %s", code, s.alias, saw)
		return
	}
	if !strings.Contains(p.Hint, hint) {
		t.Errorf("the hint does not speak of %s: %+v", hint, p)
	}
	if strings.Contains(n.says.String(), "guess") {
		t.Error("the password is in the log")
	}
	if !n.Running() {
		t.Error("the node ended")
	}
	t.Logf("%s: %s (%s)", p.Code, p.Text, p.Hint)
}

// login sets how the nodes get into a cluster that wants a password.
func (m *mesh) login(t *testing.T, s *site, mechanism, password string) {
	t.Helper()
	ca := m.secret(t, s.alias+"-ca.pem", s.Security().CAFile)
	m.env = []string{"IT_PASSWORD=" + password}
	from := "password_env: IT_PASSWORD"
	if mechanism == "SCRAM-SHA-512" {
		m.secretText(t, s.alias+"-password", password+"\n")
		from = fmt.Sprintf("password_file: %s-password", s.alias)
	}
	s.more = fmt.Sprintf("tls: {ca: %s}, sasl: {mechanism: %s, username: %s, %s}", ca, mechanism, s.Security().Username, from)
}

// certificates sets how the nodes get into a cluster that wants a certificate.
func (m *mesh) certificates(t *testing.T, s *site) {
	t.Helper()
	sec := s.Security()
	s.more = fmt.Sprintf("tls: {ca: %s, cert: %s, key: %s}", m.secret(t, s.alias+"-ca.pem", sec.CAFile),
		m.secret(t, s.alias+"-cert.pem", sec.CertFile), m.secret(t, s.alias+"-key.pem", sec.KeyFile))
}
