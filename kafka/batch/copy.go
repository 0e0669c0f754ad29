package batch

import "fmt"

// Why is what must become of a batch, and for which reason.
type Why int

// Copy is the only one that lets a batch be copied whole.
const (
	Copy                     Why = iota
	RewriteOldFormat             // format 0 or 1
	RewriteLogAppendTime         // the records' own deltas hold another time than readers see
	RewriteUnknownAttributes     // a bit that may change what the records mean
	RewriteCompacted             // offsets have gaps, down to no record at all; brokers refuse the batch
	SkipControl                  // a marker: never copied, but its offset is passed
)

// String is the reason as a label.
func (w Why) String() string {
	switch w {
	case Copy:
		return "copy"
	case RewriteOldFormat:
		return "old_format"
	case RewriteLogAppendTime:
		return "log_append_time"
	case RewriteUnknownAttributes:
		return "unknown_attributes"
	case RewriteCompacted:
		return "compacted"
	case SkipControl:
		return "control"
	default:
		return fmt.Sprintf("Why(%d)", int(w))
	}
}

// CopyReason says whether b, as Next returned it, may be copied whole, and if not, why. What only the caller knows is not looked
// at: a start offset inside the batch, an aborted transaction, a limit or a codec that the destination refuses.
func CopyReason(b Batch) Why {
	switch {
	case b.Magic() < 2:
		return RewriteOldFormat
	case b.Control():
		return SkipControl
	case b.LogAppendTime():
		return RewriteLogAppendTime
	case b.UnknownAttributes() != 0:
		return RewriteUnknownAttributes
	case int64(b.Count()) != int64(b.LastOffsetDelta())+1:
		return RewriteCompacted
	default:
		return Copy
	}
}
