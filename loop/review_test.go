package loop

import (
	"fmt"
	"strings"
	"testing"

	"github.com/meshd/meshd/topology"
)

// read parses a topology of these clusters with these links. A name with a dash at its end is of a cluster that is read only.
func read(t testing.TB, links string, clusters ...string) *topology.Topology {
	t.Helper()
	var b strings.Builder
	b.WriteString("version: 1\nmesh: m\nclusters:\n")
	for i, c := range clusters {
		fmt.Fprintf(&b, "  %s: {bootstrap: ['127.0.0.1:%d'], datacenter: lab%s}\n", strings.TrimSuffix(c, "-"), 1000+i, map[bool]string{true: ", read_only: true"}[strings.HasSuffix(c, "-")])
	}
	b.WriteString("nodes: {one: {datacenter: lab}}\nlinks:\n" + links)
	top, err := topology.Parse("t", []byte(b.String()))
	if err != nil {
		t.Fatalf("%v\n%s", err, b.String())
	}
	return top
}

// TestReview: what is refused, and what is only said, with its place.
func TestReview(t *testing.T) {
	for _, c := range []struct{ what, links, clusters, want string }{
		{"a hub, prefix", `
  - between: {hub: b, spokes: [a, c]}
`, "a b c", ""},
		{"a hub, identity", `
  - {between: {hub: b, spokes: [a, c]}, naming: identity}
`, "a b c", ""},
		{"one way, prefix", `
  - {from: [a], to: [b]}
`, "a b", ""},
		{"one way, identity", `
  - {from: [a], to: [b], naming: identity, topics: {include: ["orders.*"]}}
`, "a b", "said t:8:5: links[0]: topic orders (identity): a never hears of b: its records reach b, and no link leads from there to a"},
		{"one way from where nothing is written", `
  - {from: [a], to: [b], naming: identity}
`, "a- b", ""},
		{"two islands", `
  - {between: [a, b], naming: identity, topics: {include: [x]}}
  - {between: [c, d], naming: identity, topics: {include: [x]}}
`, "a b c d", "said t:10:5: links[0]: topic x (identity): c never hears of a: its records reach a, b, and no link leads from there to c; d never hears of a: " +
			"its records reach a, b, and no link leads from there to d; c never hears of b: its records reach b, a, and no link leads from there to c; and 5 more"},
		{"islands of topics", `
  - {between: [a, b], naming: identity, topics: {include: [x]}}
  - {between: [c, d], naming: identity, topics: {include: [y]}}
`, "a b c d", ""},
		{"a link on the way does not carry it", `
  - {from: [a], to: [b]}
  - {from: [b], to: [c], topics: {exclude: ["pay.*"]}}
  - {from: [c], to: [d]}
`, "a b c d", "said t:10:5: links[0]: topic pay (prefix): c never hears of a: its records reach a, b, and no link leads from there to c; d never hears of a: " +
			"its records reach a, b, and no link leads from there to d; c never hears of b: its records reach b, and no link leads from there to c; and 1 more"},
		{"two namings", `
  - {between: [a, b], topics: {include: ["orders.*", "x"]}}
  - between: [b, c]
    topics:
      include: ["orders.eu", "y"]
      rules: [{match: "y", naming: identity}, {match: ".*[.]eu", naming: identity}]
`, "a b c", "refused t:13:74: links[1].topics.rules[1].naming: topic orders.eu has naming prefix over a->b (link a<->b) and identity over b->c (link b<->c): " +
			"a topic has one in the whole mesh; give it one naming in both links, or exclude it from one of them"},
		{"two namings, of topics of their own", `
  - {between: [a, b], topics: {include: ["orders.*"]}}
  - {between: [b, c], naming: identity, topics: {include: ["pay.*"]}}
`, "a b c", ""},
		{"batch, a pair", `
  - {between: [a, b], naming: identity, provenance: batch}
  - {between: [b, c], topics: {exclude: [".*"]}}
`, "a b c", ""},
		{"batch, a third cluster", `
  - {between: [a, b, c], naming: identity, provenance: batch, topics: {include: ["[x-z]+q"]}}
`, "a b c", "refused t:9:56: links[0].provenance: topic xq has provenance batch over a->b (link a<->b<->c), and a third cluster, c, carries it: a->b, a->c (link a<->b<->c); " +
			"set provenance: headers, or exclude the topic from one of the links"},
		{"batch, a third cluster over another link", `
  - {between: [a, b], naming: identity, provenance: batch}
  - {between: [b, c], naming: identity, topics: {include: [shared]}}
`, "a b c", "refused t:9:53: links[0].provenance: topic shared has provenance batch over a->b (link a<->b), and a third cluster, c, carries it: a->b, b->c (link b<->c); " +
			"set provenance: headers, or exclude the topic from one of the links"},
		{"half of a pair", `
  - {from: [a], to: [b], naming: identity, provenance: batch}
  - {from: [b], to: [a], naming: identity}
`, "a b", "refused t:9:5: links[1]: topic a has provenance batch over a->b (link a->b) and headers over b->a (link b->a); " +
			"set provenance: headers, or exclude the topic from one of the links"},
	} {
		t.Run(c.what, func(t *testing.T) {
			r := ReviewTopology(read(t, strings.TrimPrefix(c.links, "\n"), strings.Fields(c.clusters)...))
			var got []string
			for _, p := range r.Refused {
				got = append(got, "refused "+p.String())
			}
			for _, p := range r.Said {
				got = append(got, "said "+p.String())
			}
			if strings.Join(got, "\n") != c.want {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), c.want)
			}
			if (r.Err() != nil) != (len(r.Refused) > 0) {
				t.Errorf("error %v", r.Err())
			}
		})
	}
}

// TestReviewOfMuch: what can't be looked at is said, and what two links make of a topic is found all the same.
func TestReviewOfMuch(t *testing.T) {
	for name, c := range much {
		t.Run(name, func(t *testing.T) {
			r := ReviewTopology(c.topology(t))
			if (c.refused == "") != (len(r.Refused) == 0) || c.refused != "" && !strings.Contains(r.Refused[0].Message, c.refused) {
				t.Errorf("refused: %v", r.Refused)
			}
			if unsure := strings.Contains(r.Said.Error(), "links: the expressions are too many to tell"); unsure != c.unsure {
				t.Errorf("said: %v", r.Said)
			}
		})
	}
}

// BenchmarkReviewOfMuch: 50 links take less than a second, whatever they are.
func BenchmarkReviewOfMuch(b *testing.B) {
	for name, c := range much {
		b.Run(name, func(b *testing.B) {
			top := c.topology(b)
			for b.Loop() {
				ReviewTopology(top)
			}
		})
	}
}

// many is 50 links in a row.
type many struct {
	include func(i int) string
	naming  func(i int) string
	refused string
	unsure  bool
}

var much = map[string]many{
	"each link topics of its own": {func(i int) string { return fmt.Sprintf(`"team%d[.].*", "t%d"`, i, i) }, identityOf(1), "", false},
	"all the same":                {func(int) string { return `".*"` }, identityOf(1), "", false},
	"hard, one naming":            {hard, identityOf(51), "", true},
	"hard, two namings":           {hard, identityOf(2), "", true},
	"hard, but for two":           {hardButForTwo, identityOf(30), "topic shared has naming", true},
	"hard, and batch": {hardButForTwo, func(i int) string {
		if i == 20 || i == 30 {
			return "identity, provenance: batch"
		}
		return "identity"
	}, "topic shared has provenance batch", true},
}

func hardButForTwo(i int) string {
	if i == 20 || i == 30 {
		return "shared"
	}
	return hard(i)
}

func (m many) topology(t testing.TB) *topology.Topology {
	t.Helper()
	var links strings.Builder
	names := []string{"c00"}
	for i := range 50 {
		names = append(names, fmt.Sprintf("c%02d", i+1))
		fmt.Fprintf(&links, "  - {between: [c%02d, c%02d], naming: %s, topics: {include: [%s]}}\n", i, i+1, m.naming(i), m.include(i))
	}
	return read(t, links.String(), names...)
}

func hard(i int) string {
	return fmt.Sprintf(`".*%c.{15}%d", ".*%c.{15}x"`, 'a'+i%26, i%10, 'A'+i%26)
}

// identityOf gives identity naming to the links whose number can be divided by n.
func identityOf(n int) func(i int) string {
	return func(i int) string {
		if i%n == 0 && i > 0 || n == 1 {
			return "identity"
		}
		return "prefix"
	}
}
