package validate

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Kind is a way in which a copy is not its source.
type Kind int

// The kinds, with what a record counts as.
const (
	Lost        Kind = iota // committed at the source, not at the destination
	Duplicated              // at the destination once more than at the source
	OutOfOrder              // there, but not at its place among the others
	Different               // there, with another key, value, header or timestamp
	Misplaced               // there, in another partition
	Unexpected              // at the destination, never committed at the source
	Looped                  // where it was produced, once more
	Mislabelled             // there, and its header does not name the place where it was produced
	kinds
)

func (k Kind) String() string {
	return [kinds]string{
		"lost", "duplicated", "out of order", "different", "in the wrong partition", "unexpected", "back home", "with a wrong header",
	}[k]
}

// Counts holds the number of records of each kind.
type Counts [kinds]int64

// OK says whether there is none of any kind.
func (c Counts) OK() bool { return c == Counts{} }

// onlyLate says whether records are missing and nothing else is wrong.
func (c Counts) onlyLate() bool { return !c.OK() && c == Counts{Lost: c[Lost]} }

func (c Counts) String() string {
	parts := make([]string, kinds)
	for kind, n := range c {
		parts[kind] = fmt.Sprintf("%d %s", n, Kind(kind))
	}
	return strings.Join(parts, ", ")
}

func (c *Counts) add(other Counts) {
	for kind, n := range other {
		c[kind] += n
	}
}

// Example is one record that counts. An offset is -1 where the record is not there.
type Example struct {
	Kind                            Kind
	Partition                       int32
	SourceOffset, DestinationOffset int64
	Detail                          string
}

func (e Example) String() string {
	text := fmt.Sprintf("partition %d: %s: source offset %s, destination offset %s", e.Partition, e.Kind, place(e.SourceOffset), place(e.DestinationOffset))
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	return text
}

func place(offset int64) string {
	if offset < 0 {
		return "none"
	}
	return strconv.FormatInt(offset, 10)
}

// Partition is the comparison of one partition.
type Partition struct {
	Partition          int32
	SourceRecords      int64 // committed
	DestinationRecords int64
	Counts             Counts
	Examples           []Example // the first examplesOfKind of each kind
}

const examplesOfKind = 5

// note counts a record, and keeps it as an example where there are few.
func (p *Partition) note(example Example) {
	example.Partition = p.Partition
	p.Counts[example.Kind]++
	if p.Counts[example.Kind] <= examplesOfKind {
		p.Examples = append(p.Examples, example)
	}
}

// Report is the comparison of two topics.
type Report struct {
	SourceTopic, DestinationTopic     string
	SourceRecords, DestinationRecords int64
	Counts                            Counts
	Partitions                        []Partition
}

// OK says whether the destination is the source's copy.
func (r Report) OK() bool { return r.Counts.OK() }

func (r Report) onlyLate() bool { return r.Counts.onlyLate() }

// Err returns nil for a copy without fault, and else an error that says all of it.
func (r Report) Err() error {
	if r.OK() {
		return nil
	}
	return errors.New(r.String())
}

// String is a line of totals, and a line for each example.
func (r Report) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s -> %s: %d records of %d: %s", r.SourceTopic, r.DestinationTopic, r.DestinationRecords, r.SourceRecords, r.Counts)
	for _, partition := range r.Partitions {
		for _, example := range partition.Examples {
			fmt.Fprintf(&text, "\n  %s", example)
		}
	}
	return text.String()
}

func (r *Report) add(p Partition) {
	r.SourceRecords += p.SourceRecords
	r.DestinationRecords += p.DestinationRecords
	r.Counts.add(p.Counts)
	r.Partitions = append(r.Partitions, p)
}
