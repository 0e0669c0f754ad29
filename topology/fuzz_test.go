package topology

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

var problemLine = regexp.MustCompile(`^fuzz\.yaml:[1-9]\d*:[1-9]\d*: .+$`)

// FuzzParse: an input is accepted or refused with reasons, one a line, each with its place; what is accepted survives Encode.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/bad/*.yaml", "testdata/good/*.yaml", "../topology.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			if len(data) < 8<<10 {
				f.Add(data)
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		topo, err := Parse("fuzz.yaml", data)
		if err != nil {
			checkProblems(t, err)
			return
		}
		again, err := Decode("fuzz.yaml", topo.Encode())
		if err != nil {
			t.Fatalf("accepted, and then refused: %v", err)
		}
		if again.Stamp() != topo.Stamp() || len(Diff(topo, again)) > 0 {
			t.Errorf("%s became %s: %v", topo.Stamp(), again.Stamp(), Diff(topo, again))
		}
		for pair, l := range topo.Pairs() {
			if topo.Clusters[pair.Source].Alias == "" || topo.Clusters[pair.Destination].Alias == "" || pair.Source == pair.Destination {
				t.Errorf("pair %s", pair)
			}
			l.Topic("orders")
			l.Group("app")
		}
	})
}

func checkProblems(t *testing.T, err error) {
	problems, ok := errors.AsType[Problems](err)
	if !ok || len(problems) == 0 {
		t.Fatalf("refused without a reason: %v", err)
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != len(problems) {
		t.Errorf("%d problems on %d lines:\n%s", len(problems), len(lines), err)
	}
	for _, l := range lines {
		if !problemLine.MatchString(l) {
			t.Errorf("no place or no message: %q", l)
		}
	}
}

// TestHostile feeds files that are as large as may be, and made to be costly.
func TestHostile(t *testing.T) {
	fill := func(head, part, tail string) string {
		return head + strings.Repeat(part, (maxSource-len(head)-len(tail))/len(part)) + tail
	}
	lines := []string{"version: 1\nmesh: m\nclusters:\n"}
	for i := range maxClusters {
		lines = append(lines, fmt.Sprintf("  c%s%02d: {bootstrap: [\"a:1\"]}\n", strings.Repeat("x", i%20), i))
	}
	clusters := strings.Join(lines, "")
	for name, text := range map[string]string{
		"too large":       strings.Repeat("#", maxSource+1),
		"deep list":       fill("a: ", "[", ""),
		"deep mapping":    fill("", "{a: ", ""),
		"question marks":  fill("", "? ", ""),
		"dashes":          fill("", "- ", ""),
		"one line":        fill("a: ", "x", ""),
		"flow":            fill("[", "a,", "]"),
		"same keys":       fill("", "a: 1\n", ""),
		"anchors":         fill("", "- &a [*a]\n", ""),
		"documents":       fill("", "---\n", ""),
		"tags":            fill("", "- !!binary x\n", ""),
		"empty links":     fill(clusters+"links:\n", " - {}\n", ""),
		"unknown aliases": fill(clusters+"links:\n - between: [", "cxxxxxxxxxxxxxxxxxxxxxxxxyy,", "]\n"),
		"every pair":      clusters + "links:\n" + strings.Repeat(" - between: ['*']\n", maxLinks/4),
		"many words":      fill("version: 1\nlinks:\n - configs: {exclude: [", "abc,", "]}\n"),
		"classes":         fill(clusters+"links:\n - topics: {include: [", `'\pL\pN',`, "]}\n"),
		"repeats":         fill(clusters+"links:\n - topics: {include: [", `'x{1000}y{1000}',`, "]}\n"),
		"rules":           fill(clusters+"links:\n - topics: {rules: [", `{match: a},`, "]}\n"),
		"nodes":           fill("nodes:\n", " a: {datacenter: x}\n", ""),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := Parse("fuzz.yaml", []byte(text))
			runtime.ReadMemStats(&after)
			if err == nil {
				t.Fatal("accepted")
			}
			checkProblems(t, err)
			if mib := (after.TotalAlloc - before.TotalAlloc) >> 20; mib > 1024 {
				t.Errorf("allocated %d MiB in all", mib)
			}
		})
	}
}
