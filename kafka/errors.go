package kafka

import (
	"context"
	"errors"
	"net"
	"os"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Class is what an error means for whoever met it.
type Class int

// The classes, from harmless to final.
const (
	Retry       Class = iota // the same request may succeed in a moment
	Moved                    // the leader or coordinator is elsewhere: read metadata, then retry
	Unreachable              // nothing answers
	Fenced                   // another owner has taken over
	Sequence                 // the broker's view of our sequence differs: read the tail back
	TooLarge                 // a batch or record is larger than the topic takes
	Denied                   // a permission or credential is missing
	Gone                     // the topic is not there, or is another one
	Refused                  // the broker will never take this
)

var classNames = [...]string{"retry", "moved", "unreachable", "fenced", "sequence", "too_large", "denied", "gone", "refused"}

func (c Class) String() string { return classNames[c] }

// classOf holds the errors that have a class of their own. What is not here and is retriable by the protocol's own
// account is Retry; the rest is Refused.
var classOf = map[error]Class{
	kerr.NotLeaderForPartition: Moved, kerr.LeaderNotAvailable: Moved, kerr.FencedLeaderEpoch: Moved, kerr.UnknownLeaderEpoch: Moved,
	kerr.NotCoordinator: Moved, kerr.CoordinatorNotAvailable: Moved, kerr.ReplicaNotAvailable: Moved, kerr.BrokerNotAvailable: Moved,
	kerr.InvalidProducerEpoch: Fenced, kerr.ProducerFenced: Fenced, kerr.TransactionCoordinatorFenced: Fenced,
	kerr.OutOfOrderSequenceNumber: Sequence, kerr.UnknownProducerID: Sequence, kerr.DuplicateSequenceNumber: Sequence,
	kerr.InvalidProducerIDMapping: Sequence,
	kerr.MessageTooLarge:          TooLarge, kerr.RecordListTooLarge: TooLarge,
	kerr.TopicAuthorizationFailed: Denied, kerr.GroupAuthorizationFailed: Denied, kerr.ClusterAuthorizationFailed: Denied,
	kerr.TransactionalIDAuthorizationFailed: Denied, kerr.SaslAuthenticationFailed: Denied, kerr.UnsupportedSaslMechanism: Denied,
	kerr.UnknownTopicOrPartition: Gone, kerr.UnknownTopicID: Gone, kerr.InconsistentTopicID: Gone,
	kerr.InvalidRecord: Refused, kerr.InvalidTimestamp: Refused, kerr.UnsupportedCompressionType: Refused, kerr.PolicyViolation: Refused,
	kerr.InvalidTxnState: Retry, kerr.CorruptMessage: Retry, kerr.ConcurrentTransactions: Retry, kerr.CoordinatorLoadInProgress: Retry,
}

// Classify maps any error of the libraries to a class.
func Classify(err error) Class {
	if ke, ok := errors.AsType[*kerr.Error](err); ok {
		if c, ok := classOf[ke]; ok {
			return c
		}
		if ke.Retriable {
			return Retry
		}
		return Refused
	}
	if _, ok := errors.AsType[*WrongClusterError](err); ok {
		return Refused
	}
	if unreachable(err) {
		return Unreachable
	}
	return Retry
}

func unreachable(err error) bool {
	var ne net.Error
	var op *net.OpError
	return errors.As(err, &op) || errors.As(err, &ne) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, kgo.ErrClientClosed) || isFirstEOF(err)
}

func isFirstEOF(err error) bool {
	var eof *kgo.ErrFirstReadEOF
	return errors.As(err, &eof)
}
