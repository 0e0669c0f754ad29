package main

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestQuantile(t *testing.T) {
	values := []float64{4, 1, 3, 2}
	for q, want := range map[float64]float64{0: 1, 0.25: 1, 0.5: 2, 0.51: 3, 0.99: 4, 1: 4} {
		if got := quantile(values, q); got != want {
			t.Errorf("of %v %v is %v, not %v", values, q, got, want)
		}
	}
	if !math.IsNaN(quantile(nil, 0.5)) {
		t.Error("a quantile of nothing")
	}
	if m := median([]measurement{{"a": 3, "b": 1}, {"a": 1}, {"a": 2}}); m["a"] != 2 || m["b"] != 1 {
		t.Errorf("medians %v", m)
	}
}

func TestPage(t *testing.T) {
	base := cell{name: "base", about: "1 KiB", kind: throughput}
	rows := []row{
		{Cell: "base", About: "1 KiB", Tool: "rawcopy", Median: measurement{"seconds": 2, "cpu": 1, "mbps": 1234.4, "memory": 99.6}, cell: base},
		{Cell: "base", About: "1 KiB", Tool: "meshd", Median: measurement{"seconds": 3, "cpu": 1.2, "mbps": 700, "memory": 100}, cell: base},
		{Cell: "base", About: "1 KiB", Tool: "mm2", Median: measurement{"seconds": 30, "cpu": 24}, cell: base},
		{Cell: "base", About: "1 KiB", Tool: "mm2-tuned", Failed: "it ended\nits log", cell: base},
	}
	text := page(rows, machine{Date: "today", Cores: 2, Command: "go run ./test/bench"})
	for _, line := range []string{
		"| 1 KiB | rawcopy | 2.00 | 1,234 | 1.00 | 100 |  |  | 15.00 | 24.00 |\n",
		"| 1 KiB | meshd | 3.00 | 700 | 1.20 | 100 | 1.50 | 1.20 | 10.00 | 20.00 |\n",
		"| 1 KiB | mm2 | 30.00 | - | 24.00 | - | 15.00 | 24.00 |  |  |\n",
		"| 1 KiB | mm2-tuned | - | - | - | - |  |  |  |  |\n",
		"* 1 KiB, mm2-tuned: it ended\n",
		"| date | today |\n| cores | 2 |\n",
	} {
		if !strings.Contains(text, line) {
			t.Errorf("the page has no %q:\n%s", line, text)
		}
	}
	for _, absent := range []string{"its log", "Latency", "%!"} {
		if strings.Contains(text, absent) {
			t.Errorf("the page has %q:\n%s", absent, text)
		}
	}
}

// Every figure is measured by a cell, and shown beside its target.
func TestFigures(t *testing.T) {
	known := map[string]bool{}
	for _, c := range cells() {
		known[c.name] = true
	}
	measured := map[string]measurement{}
	for _, f := range figures {
		if !known[f.cell] {
			t.Errorf("%s: there is no cell %s", f.what, f.cell)
		}
	}
	measured["start"] = measurement{"restart": 0.25}
	var out strings.Builder
	if err := printFigures(measured, &out); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); !strings.Contains(text, "<= 1 s         0.25 s\n") || !strings.Contains(text, "<= 50 ms       -\n") || !strings.Contains(text, ">= 25 MB/s") {
		t.Errorf("printed:\n%s", text)
	}
}

// What people wrote below the tables outlives the next run.
func TestNotesAreKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "page.md")
	if got := notes(file); got != "" {
		t.Errorf("a page that is not there has %q", got)
	}
	if err := os.WriteFile(file, []byte("# old\n"+notesBegin+"\nwritten\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := save(t.TempDir(), file, nil, machine{}); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil || strings.Count(string(text), notesBegin+"\nwritten\n") != 1 || strings.Contains(string(text), "# old") {
		t.Errorf("%v:\n%s", err, text)
	}
}

func TestChoice(t *testing.T) {
	for names, want := range map[string]int{"": len(cells()), "base": 1, "codec-": 2, "base,latency-": 4, "batch": 0} {
		if got := chosenCells(names); len(got) != want {
			t.Errorf("%q chooses %d cells, not %d", names, len(got), want)
		}
	}
	if got := named("meshd,rawcopy"); len(got) != 2 || got[0].name != "rawcopy" {
		t.Errorf("tools %v", got)
	}
}
