package loop

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestExamples: one topic for each way of carrying, the shortest.
func TestExamples(t *testing.T) {
	for _, c := range []struct {
		what, links string
		want        []string
	}{
		{"all", "  - between: [a, b, c]\n", []string{"a"}},
		{"lists", "  - {between: [a, b], topics: {include: [orders, payments]}}\n  - {between: [b, c], topics: {include: [payments]}}\n", []string{"orders", "payments"}},
		{"what is alike but for how it is carried", "  - {between: [a, b], topics: {include: ['orders.*'], rules: [{match: 'orders-[0-9]', naming: identity}, {match: 'orders-x', on_gap: continue}]}}\n", []string{"orders", "orders-0"}},
		{"provenance", "  - {between: [a, b], naming: identity, topics: {include: [x, yy, z], rules: [{match: 'y*', provenance: batch}, {match: z, naming: prefix}]}}\n", []string{"x", "z", "yy"}},
		{"nothing", "  - {between: [a, b], topics: {include: ['__.*', 'meshd[.].*', 'mm2.*[.]internal']}}\n", nil},
	} {
		got, all := Examples(read(t, c.links, "a", "b", "c"))
		if !slices.Equal(got, c.want) || !all {
			t.Errorf("%s: %q, all %v, want %q", c.what, got, all, c.want)
		}
	}
}

// TestExamplesAgainstNames: every name of up to four letters is carried as one of the examples that is no longer.
func TestExamplesAgainstNames(t *testing.T) {
	expr := rapid.StringMatching(`([a-c.]|a\*|\.\+|\[ab\]|\(a\|b\.\)|\(b\|c\)\?|\\b){1,4}`)
	rapid.Check(t, func(r *rapid.T) {
		var links strings.Builder
		for _, pair := range []string{"a, b", "b, c", "c, a"} {
			fmt.Fprintf(&links, "  - {between: [%s], topics: {include: ['%s'], exclude: ['%s'], rules: [{match: '%s', naming: identity}]}}\n",
				pair, expr.Draw(r, "include"), expr.Draw(r, "exclude"), expr.Draw(r, "rule"))
		}
		top := read(t, links.String(), "a", "b", "c")
		topics, all := Examples(top)
		if !all {
			r.Skip("too many states")
		}
		shortest := map[string]int{}
		for _, topic := range topics {
			how := carriage(top, topic)
			if _, twice := shortest[how]; twice || how == "" {
				r.Fatalf("%q of %q", topic, topics)
			}
			shortest[how] = len(topic)
		}
		for _, name := range namesOf("abc.", 4) {
			if how := carriage(top, name); how != "" {
				if n, ok := shortest[how]; !ok || n > len(name) {
					r.Fatalf("%q is carried as none of %q", name, topics)
				}
			}
		}
	})
}

// namesOf are all of up to n letters.
func namesOf(letters string, n int) (out []string) {
	last := []string{""}
	for range n {
		var longer []string
		for _, s := range last {
			for _, c := range letters {
				longer = append(longer, s+string(c))
			}
		}
		out, last = append(out, longer...), longer
	}
	return out
}
