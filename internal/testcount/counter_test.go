package main

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// lines turns "pkg Test action [output]" into go test's JSON; Test "-" is the package itself. Other lines stay as they are.
func lines(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		fields := strings.SplitN(line, " ", 4)
		if len(fields) < 3 || !strings.HasPrefix(fields[0], "p/") {
			b.WriteString(line + "\n")
			continue
		}
		b.WriteString(`{"Action":"` + fields[2] + `","Package":"` + fields[0] + `"`)
		if fields[1] != "-" {
			b.WriteString(`,"Test":"` + fields[1] + `"`)
		}
		if len(fields) == 4 {
			b.WriteString(`,"Output":"` + fields[3] + `\n"`)
		}
		b.WriteString("}\n")
	}
	return b.String()
}

func TestCount(t *testing.T) {
	tests := []struct {
		name, input string
		last        string   // line
		contains    []string // of the output
	}{
		{"nothing", "", "0 passed, 0 failed", nil},
		{"two pass", "p/a A run\np/a A pass\np/a B run\np/a B pass\np/a - pass", "2 passed, 0 failed", []string{"ok    p/a"}},
		{
			"one fails", "p/a A run\np/a A output a.go:1: wrong\np/a A fail\np/a B run\np/a B output fine\np/a B pass\np/a - fail",
			"1 passed, 1 failed",
			[]string{"a.go:1: wrong", "FAIL  p/a"},
		},
		{"does not build", "p/a - start\np/a - output no such thing\np/a - fail", "0 passed, 1 failed", []string{"no such thing"}},
		{"panics", "p/a A run\np/a A output panic: x\np/a B run\np/a B pass\np/a - fail", "1 passed, 1 failed", []string{"A did not end", "panic: x"}},
		{"is cut off", "p/a A run\np/a A pass\np/a - pass\np/b B run\np/c - start", "1 passed, 2 failed", []string{"p/b: the run ended before it"}},
		{"vet fails", "== vet\nFAIL: go vet\np/a A run\np/a A pass\np/a - pass", "1 passed, 1 failed", []string{"== vet", "FAIL: go vet"}},
		{"a test that prints JSON", `{"level":"info"}`, "0 passed, 0 failed", []string{`{"level":"info"}`}},
		{"skipped", "p/a A run\np/a A skip\np/a - pass", "0 passed, 1 failed", []string{"A was skipped in every run"}},
		{"skipped and allowed", "p/a Slow run\np/a Slow skip\np/a - pass", "0 passed, 0 failed", nil},
		{
			"skipped here, ran there", "p/a A run\np/a A skip\np/a - pass\np/a A run\np/a A pass\np/a - pass",
			"1 passed, 0 failed", nil,
		},
		{"same test in two runs", "p/a A run\np/a A pass\np/a - pass\np/a A run\np/a A fail\np/a - fail", "1 passed, 1 failed", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := counted(t, test.input, allowSlow)
			if !strings.HasSuffix(got, "\n"+test.last+"\n") && got != test.last+"\n" {
				t.Errorf("want %q last, got:\n%s", test.last, got)
			}
			for _, want := range test.contains {
				if !strings.Contains(got, want) {
					t.Errorf("want %q in:\n%s", want, got)
				}
			}
			if strings.Contains(got, "fine") {
				t.Errorf("the output of a test that passed:\n%s", got)
			}
		})
	}
}

var allowSlow = map[test]bool{{"p/a", "Slow"}: true}

func counted(t *testing.T, input string, allowed map[test]bool) string {
	t.Helper()
	var out strings.Builder
	c := newCounter(&out)
	if err := c.read(bufio.NewReader(strings.NewReader(lines(input)))); err != nil {
		t.Fatal(err)
	}
	c.conclude(allowed)
	return out.String()
}

func TestPartialRunsMaySkip(t *testing.T) {
	got := counted(t, "p/a A run\np/a A skip\np/a - pass", nil)
	if want := "skipped: p/a A\n0 passed, 0 failed\n"; !strings.HasSuffix(got, want) {
		t.Errorf("got:\n%s", got)
	}
}

func TestReadSkips(t *testing.T) {
	path := filepath.Join(t.TempDir(), "skipped")
	write := func(content string) {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("# comment\n\np/a Slow needs a day # or two\n")
	allowed, err := readSkips(path)
	if err != nil || len(allowed) != 1 || !allowed[test{"p/a", "Slow"}] {
		t.Errorf("got %v, %v", allowed, err)
	}
	write("p/a NoReason\n")
	if _, err := readSkips(path); err == nil || !strings.Contains(err.Error(), ":1:") {
		t.Errorf("a line without a reason: %v", err)
	}
}
