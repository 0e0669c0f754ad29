package topology

import (
	"regexp"
	"strings"
	"testing"
)

var row = regexp.MustCompile("(?m)^\\| `([^`|]+)` \\| (.+?) \\| (.+?) \\| (.*?) ?\\|$")

// TestReference compares the tables of docs/CONFIGURATION.md with the code: each key once, with its type and its default.
func TestReference(t *testing.T) {
	documented := map[string][2]string{}
	for _, m := range row.FindAllStringSubmatch(readFile(t, "../docs/CONFIGURATION.md"), -1) {
		if _, twice := documented[m[1]]; twice {
			t.Errorf("%s is documented twice", m[1])
		}
		documented[m[1]] = [2]string{m[2], m[3]}
	}
	for _, k := range Keys() {
		got, ok := documented[k.Path]
		if want := [2]string{k.Type, k.Default}; !ok || got != want {
			t.Errorf("documented: %q, want %q:\n| `%s` | %s | %s |", got, want, k.Path, k.Type, k.Default)
		}
		delete(documented, k.Path)
	}
	for path := range documented {
		t.Errorf("%s is documented, and is no key", path)
	}
}

// TestExampleShowsAll looks for every key in the commented example, be it in a comment.
func TestExampleShowsAll(t *testing.T) {
	example := readFile(t, "../topology.yaml")
	for _, k := range Keys() {
		key := k.Path[strings.LastIndexByte(k.Path, '.')+1:]
		if !regexp.MustCompile(`\b` + regexp.QuoteMeta(key) + `:`).MatchString(example) {
			t.Errorf("%s is not in the example", k.Path)
		}
	}
}

// TestExamplesInReference parses each whole topology that the reference shows.
func TestExamplesInReference(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```yaml\n(version: .*?)```").FindAllStringSubmatch(readFile(t, "../docs/CONFIGURATION.md"), -1)
	if len(blocks) == 0 {
		t.Fatal("no topology in the reference")
	}
	for _, b := range blocks {
		if _, err := Parse("CONFIGURATION.md", []byte(b[1])); err != nil {
			t.Errorf("refused:\n%v\n%s", err, b[1])
		}
	}
}
