package kafka

import (
	"crypto/tls"
	"errors"
	"io"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Explain makes a reason of an error: the one that is in it, or one of who may not do something, or else one with a given code.
func Explain(err error, otherwise string) Reason {
	if r, ok := errors.AsType[Reason](err); ok {
		return r
	}
	return Because(codeOf(err, otherwise), textOf(err), Hint(err))
}

// textOf leaves out what the protocol says of an error where a broker's own words follow.
func textOf(err error) string {
	text := err.Error()
	if code, ok := errors.AsType[*kerr.Error](err); ok {
		text = strings.Replace(text, code.Error()+": ", code.Message+": ", 1)
	}
	return text
}

func codeOf(err error, otherwise string) string {
	_, wrong := errors.AsType[*WrongClusterError](err)
	switch {
	case wrong:
		return WrongCluster
	case errors.Is(err, kerr.SaslAuthenticationFailed), errors.Is(err, kerr.UnsupportedSaslMechanism), isTLS(err):
		return LoginRefused
	case Classify(err) == Denied:
		return PermissionDenied
	}
	return otherwise
}

// hintedError is an error whose finder knows better what to do than Hint can tell from the error alone.
type hintedError struct {
	error
	hint string
}

func (e *hintedError) Unwrap() error { return e.error }

// WithHint gives an error the hint that Hint returns for it.
func WithHint(err error, hint string) error { return &hintedError{err, hint} }

// Grant is the hint to allow operations on a resource, which is named by options of kafka-acls.sh.
func Grant(resource string, operations ...string) string {
	return "allow it to meshd's user: kafka-acls.sh --add --allow-principal User:NAME --operation " + strings.Join(operations, " --operation ") + " " + resource
}

// Hint says what a person can do about an error; "" where time alone can help.
func Hint(err error) string {
	var eof *kgo.ErrFirstReadEOF
	var known *hintedError
	var wrong *WrongClusterError
	var reason Reason
	switch {
	case errors.As(err, &reason):
		return reason.Hint
	case errors.As(err, &known):
		return known.hint
	case errors.As(err, &wrong):
		return "correct the bootstrap addresses of cluster " + string(wrong.Alias) + " in the topology, or its id if it was replaced on purpose"
	case errors.Is(err, kerr.SaslAuthenticationFailed):
		return "check sasl.username and the password of this cluster in the topology"
	case errors.Is(err, kerr.UnsupportedSaslMechanism):
		return "set sasl.mechanism of this cluster in the topology to one that its brokers have enabled"
	case errors.Is(err, kerr.TransactionalIDAuthorizationFailed):
		return Grant("--transactional-id meshd. --resource-pattern-type prefixed", "Write", "Describe")
	case errors.Is(err, kerr.TopicAuthorizationFailed):
		return "grant READ and DESCRIBE on the source topic, or WRITE, CREATE and DESCRIBE on the destination topic"
	case errors.Is(err, kerr.GroupAuthorizationFailed):
		return "grant READ and DESCRIBE on the group"
	case errors.Is(err, kerr.ClusterAuthorizationFailed):
		return "grant CREATE and DESCRIBE on the cluster"
	case errors.Is(err, kerr.MessageTooLarge), errors.Is(err, kerr.RecordListTooLarge):
		return "raise max.message.bytes of the destination topic"
	case errors.Is(err, kerr.InvalidTimestamp):
		return "raise message.timestamp.before.max.ms and message.timestamp.after.max.ms of the destination topic"
	case errors.As(err, &eof):
		return "the broker closed the connection at once: is TLS or SASL set on one side only?"
	case err != nil && strings.Contains(err.Error(), "plaintext connection speaking to a tls endpoint"): // franz-go has no type for it
		return "the broker speaks TLS, and this cluster has no tls in the topology"
	case isTLS(err):
		return "check tls.ca, tls.cert and tls.key of this cluster in the topology"
	case errors.Is(err, io.EOF):
		return "the broker closed the connection: check sasl.username, the password and tls of this cluster in the topology"
	case Classify(err) == Unreachable:
		return "check that the cluster runs and that its bootstrap addresses are reachable from this node"
	}
	return ""
}

// isTLS says whether either side refused the other's certificate.
func isTLS(err error) bool {
	if _, ok := errors.AsType[tls.AlertError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	return err != nil && strings.Contains(err.Error(), "tls: ") // an alert that was read later has no type
}

// saidError is a broker's error with the broker's own words instead of those of the protocol.
type saidError struct {
	code    *kerr.Error
	message string
}

func (e *saidError) Error() string { return e.code.Message + ": " + e.message }
func (e *saidError) Unwrap() error { return e.code }

// Said gives a broker's error the words that the broker said with it, if it did.
func Said(err error, message string) error {
	if code, ok := errors.AsType[*kerr.Error](err); ok && message != "" {
		return &saidError{code, message}
	}
	return err
}
