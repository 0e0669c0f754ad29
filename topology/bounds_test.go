package topology

import (
	"fmt"
	"strings"
	"testing"
)

// TestBounds: a topology may hold this much, and no more.
func TestBounds(t *testing.T) {
	for name, c := range map[string]struct {
		after, format string // what is added, and where; numbered from 1
		room          int    // how many fit
		message       string
	}{
		"clusters": {"clusters:\n", "  c%d: {bootstrap: [\"a:1\"]}\n", 97, "5:3: clusters: holds 101 entries, more than 100"},
		"nodes": {
			"nodes:\n", "  n%[1]d: {datacenter: us, gossip: \"127.0.1.1:%[1]d\", raft: \"127.0.2.1:%[1]d\", admin: \"127.0.3.1:%[1]d\"}\n", 997,
			"9:3: nodes: holds 1001 entries, more than 1000",
		},
		"rules": {"rules: [", "{match: \"%d\"}, ", 999, "15:46: links[0].topics.rules: holds 1001 entries, more than 1000"},
	} {
		t.Run(name, func(t *testing.T) {
			parseText(t, edit(t, mesh, c.after, c.after+numbered(c.format, c.room)))
			_, err := Parse("bounds", []byte(edit(t, mesh, c.after, c.after+numbered(c.format, c.room+1))))
			if want := "bounds:" + c.message; err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
		})
	}
}

func numbered(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i+1)
	}
	return b.String()
}
