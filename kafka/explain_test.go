package kafka

import (
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
)

func TestExplain(t *testing.T) {
	asked := func(err error) error { return fmt.Errorf("asking cluster us: %w", err) }
	tests := map[string]struct {
		err        error
		code, hint string // hint is a part of it
	}{
		"wrong password":      {asked(kerr.SaslAuthenticationFailed), LoginRefused, "password"},
		"wrong mechanism":     {asked(kerr.UnsupportedSaslMechanism), LoginRefused, "sasl.mechanism"},
		"refused certificate": {asked(errors.New("remote error: tls: certificate required")), LoginRefused, "tls.cert"},
		"untrusted broker":    {asked(&tls.CertificateVerificationError{Err: errors.New("unknown authority")}), LoginRefused, "tls.ca"},
		"no right":            {asked(kerr.TransactionalIDAuthorizationFailed), PermissionDenied, "--transactional-id meshd."},
		"another cluster":     {asked(&WrongClusterError{Alias: "us", Want: "a", Got: "b"}), WrongCluster, "bootstrap"},
		"anything else":       {asked(kerr.RequestTimedOut), "otherwise", ""},
		"a reason":            {asked(Because(SameCluster, "x", "y")), SameCluster, "y"},
		"a better hint":       {WithHint(asked(kerr.TopicAuthorizationFailed), "do this"), PermissionDenied, "do this"},
	}
	for name, tc := range tests {
		r := Explain(tc.err, "otherwise")
		if r.Code != tc.code || !strings.Contains(r.Hint, tc.hint) || tc.hint == "" && r.Hint != "" {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// A broker's own words stand instead of the protocol's, not beside them.
func TestNoWordsTwice(t *testing.T) {
	err := Said(kerr.TopicAuthorizationFailed, "Authorization failed.")
	if got := fmt.Sprint(err); got != "TOPIC_AUTHORIZATION_FAILED: Authorization failed." || Classify(err) != Denied {
		t.Error(got)
	}
	if err := Said(kerr.PolicyViolation, ""); !errors.Is(err, kerr.PolicyViolation) || err.Error() != kerr.PolicyViolation.Error() {
		t.Error(err)
	}
	if Said(nil, "words") != nil {
		t.Error("words make no error")
	}
	sasl := fmt.Errorf("asking: %w: invalid credentials", kerr.SaslAuthenticationFailed) // as franz-go says it
	if got := Explain(sasl, "").Text; got != "asking: SASL_AUTHENTICATION_FAILED: invalid credentials" {
		t.Error(got)
	}
}

func TestAlike(t *testing.T) {
	down := Because("cluster_unreachable", "dial 10.0.0.1:9092: refused", "start it")
	tests := map[string]struct {
		other Reason
		alike bool
	}{
		"another port":       {Because("cluster_unreachable", "dial 10.0.0.2:9093: timeout", "start it"), true},
		"another code":       {Because("login_refused", down.Text, down.Hint), false},
		"another hint":       {Because(down.Code, down.Text, "check tls"), false},
		"none":               {Reason{}, false},
		"another text alone": {Because(down.Code, "closed", ""), false},
	}
	for name, tc := range tests {
		if Alike(down, tc.other) != tc.alike {
			t.Error(name)
		}
	}
	if !Alike(Because("x", "try 1", ""), Because("x", "try 22", "")) {
		t.Error("a number is no news")
	}
}
