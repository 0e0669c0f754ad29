package kafka

import "strings"

// Reason is why a partition or shard does not go on: a word for programs, words for people, and what to do.
type Reason struct {
	Code string `json:"code"`
	Text string `json:"text"`
	Hint string `json:"hint,omitempty"`
}

func (r Reason) Error() string {
	if r.Hint == "" {
		return r.Code + ": " + r.Text
	}
	return r.Code + ": " + r.Text + " (" + r.Hint + ")"
}

// Codes of reasons. They are part of the interface: alerts and runbooks name them.
const (
	SourceUnreachable      = "source_unreachable"
	DestinationUnreachable = "destination_unreachable"
	PermissionDenied       = "permission_denied"
	SourceDeleted          = "source_deleted"
	SourceRecreated        = "source_recreated"
	SourceTruncated        = "source_truncated"
	RetentionGap           = "retention_gap"
	CorruptBatch           = "corrupt_batch"
	OldFormat              = "old_message_format"
	OriginUnknown          = "origin_unknown"
	OriginRebuilt          = "origin_rebuilt" // another cluster has the alias now
	DestinationMissing     = "destination_missing"
	DestinationRecreated   = "destination_recreated"
	DestinationTruncated   = "destination_truncated"
	RecordTooLarge         = "record_too_large"
	Rejected               = "rejected_by_destination"
	ResumePointLost        = "resume_point_lost"
	NotFenced              = "not_fenced"
	NoLeader               = "no_leader"
	TooFewReplicas         = "too_few_replicas"
	TakenOver              = "taken_over"
	Unclaimed              = "unclaimed"
	RegistryLost           = "registry_lost"
	ClusterUnreachable     = "cluster_unreachable"
	LoginRefused           = "login_refused" // credentials or a certificate, by either side
	SecretsUnreadable      = "secrets_unreadable"
	WrongCluster           = "wrong_cluster" // another one answers at its addresses
	SameCluster            = "same_cluster"
	Divergence             = "divergence"
	TopicNotMade           = "topic_not_created"
	ConfigsNotAligned      = "configs_not_aligned"
	ConfigsDiffer          = "configs_differ" // of a topic with one name everywhere: meshd changes neither

	// What is to be known, and stops nothing.
	BatchSkipped        = "corrupt_batch_skipped"
	SourceMute          = "source_gives_nothing"
	FenceWeak           = "fence_weak"
	ZombieWrites        = "zombie_writes"
	ForeignWrites       = "foreign_writes"
	AtLeastOnce         = "at_least_once"
	PredecessorUnfenced = "predecessor_unfenced"
)

// Because makes a Reason; hint may be "".
func Because(code, text, hint string) Reason { return Reason{Code: code, Text: text, Hint: hint} }

// Alike says whether b is no news after a. Texts name ports, offsets and whichever broker was asked.
func Alike(a, b Reason) bool {
	return a.Code == b.Code && a.Hint == b.Hint && (a.Hint != "" || wordsOf(a.Text) == wordsOf(b.Text))
}

func wordsOf(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, text)
}
