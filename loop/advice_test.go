package loop

import (
	"fmt"
	"testing"
)

func TestAdvise(t *testing.T) {
	for _, c := range []struct{ what, links, want string }{
		{"prefix", "  - between: [a, b, c]\n", "[]"},
		{"a mesh", "  - {between: [a, b, c], naming: identity}\n", "[a: 18 read, 6 needed, batch []]"},
		{
			"pairs", "  - {between: [a, b], naming: identity, topics: {include: [orders, pay]}}\n  - {between: [b, c], naming: identity, topics: {include: [pay]}}\n",
			"[pay: 12 read, 6 needed, batch [] orders: 4 read, 2 needed, batch [a b]]",
		},
		{"batch already", "  - {between: [a, b], naming: identity, provenance: batch}\n", "[a: 4 read, 2 needed, batch []]"},
	} {
		as, all := Advise(read(t, c.links, "a", "b", "c"))
		got := []string{}
		for _, a := range as {
			got = append(got, fmt.Sprintf("%s: %d read, %d needed, batch %v", a.Topic, a.Reads, a.Needs, a.Batch))
		}
		if fmt.Sprint(got) != c.want || !all {
			t.Errorf("%s: %v, want %s", c.what, got, c.want)
		}
	}
}
