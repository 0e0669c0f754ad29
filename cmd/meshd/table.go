package main

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// table is rows under a header, for people. Notes stand in lines of their own below their row.
type table struct {
	header []string
	rows   []row
}

type row struct {
	cells []string
	notes []string
}

func newTable(header ...string) *table { return &table{header: header} }

// add adds a row; notes that are empty are left out.
func (t *table) add(cells []string, notes ...string) {
	r := row{cells: cells}
	for _, n := range notes {
		if n != "" {
			r.notes = append(r.notes, n)
		}
	}
	t.rows = append(t.rows, r)
}

// print writes the table; none at all where there are no rows.
func (t *table) print(w io.Writer) error {
	if len(t.rows) == 0 {
		return nil
	}
	var b bytes.Buffer
	tab := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	layOut(tab, t.header)
	for _, r := range t.rows {
		cells := make([]string, len(r.cells))
		for i, c := range r.cells {
			cells[i] = clean(c)
		}
		layOut(tab, cells)
	}
	if err := tab.Flush(); err != nil {
		return fmt.Errorf("laying out a table: %w", err)
	}
	var out strings.Builder
	for i, line := range strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n") {
		out.WriteString(strings.TrimRight(line, " ") + "\n")
		if i == 0 {
			continue
		}
		for _, n := range t.rows[i-1].notes {
			out.WriteString("    " + clean(n) + "\n")
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// layOut adds a line to a table in memory, where no write fails before Flush.
func layOut(tab io.Writer, cells []string) {
	_, _ = io.WriteString(tab, strings.Join(cells, "\t")+"\n")
}

// printOr writes the table, or a line where it has no rows.
func (t *table) printOr(w io.Writer, empty string) error {
	if len(t.rows) > 0 {
		return t.print(w)
	}
	_, err := fmt.Fprintln(w, empty)
	return err
}

// clean takes out what a terminal would obey: names of groups, and errors, are what anybody made them.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}

func hintNote(hint string) string {
	if hint == "" {
		return ""
	}
	return "hint: " + hint
}

const unknown = "?" // what is not known

// number writes 1234567 as 1,234,567.
func number(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func numberOr(n *int64, or string) string {
	if n == nil {
		return or
	}
	return number(*n)
}

// ageOr writes seconds as people say them: 0.2s, 12s, 3m20s, 26h10m.
func ageOr(s *float64, or string) string {
	if s == nil {
		return or
	}
	d := time.Duration(*s * float64(time.Second))
	switch {
	case d < 10*time.Second:
		return strconv.FormatFloat(math.Round(d.Seconds()*10)/10, 'f', -1, 64) + "s"
	case d < time.Hour:
		return d.Round(time.Second).String()
	}
	return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
}

// size writes bytes in powers of 1,024.
func size(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	v, i := float64(n), 0
	for v >= 1024 && i < len(units)-1 {
		v, i = v/1024, i+1
	}
	if i == 0 {
		return strconv.FormatInt(n, 10) + " B"
	}
	return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) + " " + units[i]
}

func plural(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	if of == "topology" {
		of = "topologie"
	}
	return number(int64(n)) + " " + of + "s"
}
