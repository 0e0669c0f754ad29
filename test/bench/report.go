package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// column is one number of a table. Where it is compared, it is followed by its ratio to that of another tool.
type column struct {
	head, name string
	decimals   int
}

// table is the cells of one kind.
type table struct {
	kind    kind
	title   string
	text    string
	columns []column
	against []ratio
}

// ratio compares a number with another tool's: theirs over ours, or ours over theirs.
type ratio struct {
	head, name, tool string
	inverse          bool
}

// markdown prints a table; nothing where it has no rows.
func (t table) markdown(rows []row) string {
	var y strings.Builder
	for _, r := range rows {
		if r.cell.kind != t.kind {
			continue
		}
		if y.Len() == 0 {
			t.heading(&y)
		}
		y.WriteString("| " + r.About + " | " + r.Tool + " |")
		for _, c := range t.columns {
			y.WriteString(" " + show(r.Median, c.name, c.decimals) + " |")
		}
		for _, c := range t.against {
			y.WriteString(" " + c.of(r, rows) + " |")
		}
		y.WriteString("\n")
	}
	return y.String()
}

func (t table) heading(y *strings.Builder) {
	fmt.Fprintf(y, "\n## %s\n\n%s\n\n| cell | tool |", t.title, t.text)
	for _, c := range t.columns {
		y.WriteString(" " + c.head + " |")
	}
	for _, c := range t.against {
		y.WriteString(" " + c.head + " |")
	}
	y.WriteString("\n|---|---|" + strings.Repeat("---:|", len(t.columns)+len(t.against)) + "\n")
}

// of is the ratio for a row; empty for the tool itself, and where one of them has no number.
func (c ratio) of(r row, rows []row) string {
	if r.Tool == c.tool {
		return ""
	}
	for _, other := range rows {
		if other.Cell != r.Cell || other.Tool != c.tool {
			continue
		}
		ours, theirs := r.Median[c.name], other.Median[c.name]
		if c.inverse {
			ours, theirs = theirs, ours
		}
		if ours > 0 && theirs > 0 {
			return strconv.FormatFloat(ours/theirs, 'f', 2, 64)
		}
	}
	return ""
}

func show(m measurement, name string, decimals int) string {
	v, ok := m[name]
	if !ok {
		return "-"
	}
	if decimals == 0 {
		return comma(int(v + 0.5))
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
}

// failures lists the cells without result, with the first line of why.
func failures(rows []row) string {
	var y strings.Builder
	for _, r := range rows {
		if r.Failed != "" {
			why, _, _ := strings.Cut(r.Failed, "\n")
			fmt.Fprintf(&y, "* %s, %s: %s\n", r.About, r.Tool, why)
		}
	}
	if y.Len() > 0 {
		return "\n## Without a result\n\n" + y.String()
	}
	return ""
}

// page is all of docs/BENCHMARKS.md.
func page(rows []row, m machine) string {
	var text strings.Builder
	fmt.Fprintf(&text, preface, m.Date, m.Cores, m.Memory, m.Kernel, m.Go, m.Kafka, m.Version, m.Command)
	for _, t := range report {
		text.WriteString(t.markdown(rows))
	}
	return text.String() + failures(rows) + footnote
}

// save writes the page and, beside it under build/, everything that was measured.
func save(root, file string, rows []row, m machine) error {
	measured, err := json.MarshalIndent(map[string]any{"machine": m, "rows": rows}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(root, "build"), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(root, "build", "bench.json"), measured, 0o644); err != nil {
		return err
	}
	file = cmp.Or(file, filepath.Join(root, "build", "BENCHMARKS.md"))
	return os.WriteFile(file, []byte(page(rows, m)+notes(file)), 0o644)
}

const notesBegin = "\n## Notes\n"

// notes are what people wrote at the end of the page that is there now: what was seen in profiles, and in runs of single cells.
func notes(file string) string {
	now, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	if i := strings.Index(string(now), notesBegin); i >= 0 {
		return string(now[i:])
	}
	return ""
}
