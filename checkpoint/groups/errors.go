package groups

import (
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
)

// ErrFenced says that another owner has taken the transactional id, or that a transaction was ended because it took too long.
// The Placer is of no use any more. Ask who owns the groups before opening another one.
var ErrFenced = errors.New("another owner has taken the transactional id")

// ErrNoTransactions says that the right to the transactional id is missing: PlacePlain is what remains.
var ErrNoTransactions = errors.New("no right to the transactional id")

var errUnanswered = errors.New("the answer leaves it out")

// outcomeOf maps Kafka's error for a group or one of its partitions; what is not here has Failed.
var outcomeOf = map[*kerr.Error]Outcome{
	kerr.GroupAuthorizationFailed: Denied,
	kerr.TopicAuthorizationFailed: Denied,
	// Only members commit under a generation; being refused for lack of one means that there are members.
	kerr.UnknownMemberID:     Active,
	kerr.IllegalGeneration:   Active,
	kerr.StaleMemberEpoch:    Active,
	kerr.FencedInstanceID:    Active,
	kerr.RebalanceInProgress: Active,
	// Some producer has a commit of the group in an open transaction.
	kerr.UnstableOffsetCommit: Active,
}

var hints = map[*kerr.Error]string{
	kerr.GroupAuthorizationFailed:           "grant READ and DESCRIBE on the group",
	kerr.TopicAuthorizationFailed:           "grant READ and DESCRIBE on the topic, and WRITE on meshd's own",
	kerr.TransactionalIDAuthorizationFailed: "grant WRITE and DESCRIBE on transactional ids with prefix meshd.",
	kerr.OffsetMetadataTooLarge:             "raise offset.metadata.max.bytes of the brokers, or leave the metadata out",
	kerr.UnknownTopicOrPartition:            "the topic or partition does not exist on this cluster",
	kerr.MessageTooLarge:                    "raise max.message.bytes of meshd's topic",
}

// fail decides a job by an error.
func (j *job) fail(err error) {
	j.Outcome, j.Err = Failed, err
	var ke *kerr.Error
	if !errors.As(err, &ke) {
		return
	}
	j.Hint = hints[ke]
	if o, ok := outcomeOf[ke]; ok {
		j.Outcome = o
	}
}

// later says whether a coordinator asks to be asked again: it is busy or elsewhere, and has done nothing.
func later(err error) bool {
	for _, e := range []error{
		kerr.ConcurrentTransactions, kerr.CoordinatorLoadInProgress, kerr.CoordinatorNotAvailable, kerr.NotCoordinator,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// lost says whether an answer did not come, so that the request may be under way still.
func lost(err error) bool {
	var ke *kerr.Error
	return err != nil && !errors.As(err, &ke)
}

// owned gives errors about the transactional id their names.
func owned(err error) error {
	for _, e := range []error{kerr.ProducerFenced, kerr.InvalidProducerEpoch, kerr.InvalidProducerIDMapping, kerr.TransactionCoordinatorFenced} {
		if errors.Is(err, e) {
			return fmt.Errorf("%w: %w", ErrFenced, err)
		}
	}
	if errors.Is(err, kerr.TransactionalIDAuthorizationFailed) {
		return fmt.Errorf("%w: %w", ErrNoTransactions, err)
	}
	return err
}
