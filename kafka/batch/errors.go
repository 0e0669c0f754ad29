package batch

import (
	"errors"
	"fmt"
)

var (
	// ErrPartial says that the bytes end before the batch does: the tail of a fetch, which brokers cut at the size that was asked
	// for. Where at least 12 bytes are there, Batch(data).Size() is how many it would take.
	ErrPartial = errors.New("the bytes end before the batch does")
	// ErrTooLarge says that the records of a batch decompress to more than the Reader's limit.
	ErrTooLarge = errors.New("the records decompress to more than the limit")
	// ErrControl says that a control batch was to be merged.
	ErrControl = errors.New("a control batch is never copied")
)

// CorruptError says that a batch can't be what a broker has accepted. Offset is the base offset that the batch claims; no CRC covers it.
type CorruptError struct {
	Offset int64
	Reason string
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("corrupt batch at offset %d: %s", e.Offset, e.Reason)
}

func (b Batch) corrupt(format string, args ...any) error {
	return &CorruptError{Offset: b.BaseOffset(), Reason: fmt.Sprintf(format, args...)}
}
