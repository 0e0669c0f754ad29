package loop

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/meshd/meshd/topology"
)

func chain(names ...string) Graph {
	var g Graph
	for i := range names[1:] {
		g = append(g, Edge{Pair: topology.Pair{Source: topology.Alias(names[i]), Destination: topology.Alias(names[i+1])}, Cost: 1, Link: "l" + names[i], Naming: "identity"})
	}
	return g
}

// TestSurveyOfHub is a hub with two spokes, one of which only listens.
func TestSurveyOfHub(t *testing.T) {
	g := append(chain("eu", "us", "eu"), chain("us", "ap")...)
	s := SurveyTopic("orders", g)
	want := `orders (identity): 3 clusters, each record once at each
  ap takes eu from us: eu > us > ap, cost 2
  us takes eu from eu: eu > us, cost 1
  ap takes us from us: us > ap, cost 1
  eu takes us from us: us > eu, cost 1
  eu never hears of ap: its records reach ap, and no link leads from there to eu
  us never hears of ap: its records reach ap, and no link leads from there to us
  eu->us reads 2 volumes for eu
  us->eu reads 2 volumes for us
  us->ap reads 2 volumes for eu, us
  in all 6 volumes read, 4 needed (a volume is what one cluster produces)
  without cluster ap: nothing else changes
  without cluster eu: what was had of it goes on over 1 link; nothing else changes
  without cluster us: a single point of failure; ap never hears of eu
  without link eu - us: a single point of failure; ap never hears of eu; us never hears of eu; eu never hears of us
  without link us - ap: a single point of failure; ap never hears of eu; ap never hears of us
  single points of failure: cluster us, link eu - us, link us - ap
`
	if got := s.Text(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	dot := `digraph "orders" {
  "ap";
  "eu";
  "us" [color=red];
  "eu" -> "us" [label="eu" color=red];
  "us" -> "eu" [label="us" color=red];
  "us" -> "ap" [label="eu, us" color=red];
}
`
	if got := s.DOT(g); got != dot {
		t.Errorf("got\n%s\nwant\n%s", got, dot)
	}
	b, err := json.Marshal(s)
	var again Survey
	if err != nil || json.Unmarshal(b, &again) != nil || again.Text() != want {
		t.Errorf("as JSON: %v %s", err, b)
	}
}

// TestSurveyOfMesh shows that no cluster of a full mesh is missed, and what a full mesh costs with identity naming.
func TestSurveyOfMesh(t *testing.T) {
	for n := 3; n <= 5; n++ {
		s := SurveyTopic("orders", mesh(n))
		reads, needs := 0, 0
		for _, f := range s.Fetches {
			reads, needs = reads+f.Reads, needs+len(f.Takes)
		}
		if reads != n*needs || needs != n*(n-1) || len(s.Unheard) > 0 || slices.ContainsFunc(s.Losses, Loss.Single) {
			t.Errorf("mesh of %d:\n%s", n, s.Text())
		}
	}
}

// TestSurveyAgainstGraphs compares with reachability, on every graph: each cluster takes each origin from one neighbour, or hears nothing.
func TestSurveyAgainstGraphs(t *testing.T) {
	for n := 2; n <= 4; n++ {
		for _, g := range graphs(n, true, false) {
			s := SurveyTopic("orders", g)
			if len(s.Takes)+len(s.Unheard) != n*(n-1) {
				t.Fatalf("%v:\n%s", show(g), s.Text())
			}
			for _, l := range s.Losses {
				rest := slices.DeleteFunc(slices.Clone(g), func(e Edge) bool {
					return l.Link != nil && e.joins(Edge{Pair: *l.Link}) || e.Source == l.Cluster || e.Destination == l.Cluster
				})
				for _, take := range s.Takes {
					_, still := rest.Ways(take.Origin)[take.Cluster]
					lost := !still && take.Origin != l.Cluster && take.Cluster != l.Cluster
					if slices.Contains(l.Cut, topology.Pair{Source: take.Origin, Destination: take.Cluster}) != lost {
						t.Fatalf("%v: %+v", show(g), l)
					}
				}
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	set := func(g Graph, i int, change func(*Edge)) Graph {
		g = slices.Clone(g)
		change(&g[i])
		return g
	}
	batch := func(e *Edge) { e.Provenance = Batches }
	for _, c := range []struct {
		what string
		g    Graph
		want string
	}{
		{"a pair", set(set(chain("a", "b", "a"), 0, batch), 1, batch), ""},
		{"a third", set(chain("a", "b", "c"), 0, batch), "batch_third_cluster: topic t has provenance batch over a->b (link la), and a third cluster, c, carries it: a->b, b->c (link lb)"},
		{"half", set(chain("a", "b", "a"), 0, batch), "two_provenances: topic t has provenance batch over a->b (link la) and headers over b->a (link lb)"},
		{"two namings", set(chain("a", "b", "c"), 1, func(e *Edge) { e.Naming = "prefix" }), "two_namings: topic t has naming identity over a->b (link la) and prefix over b->c (link lb): a topic has one in the whole mesh"},
		{
			"two namings in two links of many pairs",
			Graph{
				{Pair: topology.Pair{Source: "a", Destination: "b"}, Link: "x", Naming: "prefix"},
				{Pair: topology.Pair{Source: "b", Destination: "c"}, Link: "y", Naming: "identity"},
				{Pair: topology.Pair{Source: "c", Destination: "b"}, Link: "y", Naming: "identity"},
				{Pair: topology.Pair{Source: "c", Destination: "a"}, Link: "z", Naming: "identity"},
			},
			"two_namings: topic t has naming prefix over a->b (link x) and identity over b->c (link y): a topic has one in the whole mesh\n" +
				"two_namings: topic t has naming prefix over a->b (link x) and identity over c->a (link z): a topic has one in the whole mesh",
		},
		{"fine", mesh(3), ""},
	} {
		var got []string
		for _, f := range SurveyTopic("t", c.g).Refused {
			got = append(got, f.Code+": "+f.Text)
		}
		if strings.Join(got, "\n") != c.want {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
}

func link(t testing.TB, naming, include, exclude string) *topology.Link {
	t.Helper()
	p, err := topology.NewPattern(include)
	if err != nil {
		t.Fatal(err)
	}
	l := &topology.Link{Settings: topology.LinkSettings{Naming: topology.Naming(naming), Separator: "."}}
	l.Topics.Include = []topology.Pattern{p}
	if exclude != "" {
		if p, err = topology.NewPattern(exclude); err != nil {
			t.Fatal(err)
		}
		l.Topics.Exclude = []topology.Pattern{p}
	}
	return l
}

func differ(a, b topology.LinkSettings) bool { return a.Naming != b.Naming }

func TestOverlap(t *testing.T) {
	for _, c := range []struct{ a, notA, b, notB, want string }{
		{`orders\..+`, "", `ord[a-z]+\.(eu|us)`, "", "orders.eu"},
		{`orders`, "", `payments|refunds`, "", ""},
		{`.*`, "orders", `orders`, "", ""},
		{`.*`, "orders", `orders|payments`, "", "payments"},
		{`.*`, `.*[.-]tmp`, `a\..*`, `a\.[a-su-z]?`, "a.t"},
		{`\w+-\b\w+`, "", `[0-9-]{3}`, "", "0-0"},
		{`__.*|x_y`, "", `.*_.*`, "", "x_y"},
		{`^a$`, "", `a|b`, "", "a"},
		{`(?i)ORDERS`, "", `o.*s`, "", "orders"},
	} {
		name, found, sure := Overlap(link(t, "identity", c.a, c.notA), link(t, "prefix", c.b, c.notB), differ)
		if name != c.want || found != (c.want != "") || !sure {
			t.Errorf("%s without %s and %s without %s: %q %v, want %q", c.a, c.notA, c.b, c.notB, name, sure, c.want)
		}
	}
	if _, found, sure := Overlap(link(t, "prefix", ".*", ""), link(t, "prefix", ".*", ""), differ); found || !sure {
		t.Error("one naming in both")
	}
	if _, found, sure := Overlap(link(t, "identity", "(a|b){200}x", ""), link(t, "prefix", ".*a.{14}y", ""), differ); found || sure {
		t.Errorf("too many states: %v %v", found, sure)
	}
}

// TestOverlapAgainstNames compares with all names of up to four of three letters.
func TestOverlapAgainstNames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		expr := rapid.StringMatching(`([a-c.]|a\*|\.\+|\[ab\]|\(a\|b\.\)|\(b\|c\)\?){1,4}`)
		draw := func(naming string) *topology.Link {
			l := &topology.Link{Settings: topology.LinkSettings{Naming: topology.Naming(naming), Separator: "."}}
			for _, list := range []*[]topology.Pattern{&l.Topics.Include, &l.Topics.Exclude} {
				p, err := topology.NewPattern(expr.Draw(t, naming))
				if err != nil {
					t.Fatal(err)
				}
				*list = append(*list, p)
			}
			return l
		}
		a, b := draw("identity"), draw("prefix")
		name, found, sure := Overlap(a, b, differ)
		if !sure {
			t.Skip("too many states")
		}
		_, inA := a.Topic(name)
		_, inB := b.Topic(name)
		if found && (!inA || !inB) {
			t.Fatalf("%q is not in both", name)
		}
		for n, names := 0, []string{""}; n < 4; n++ {
			var longer []string
			for _, s := range names {
				for _, c := range "abc." {
					longer = append(longer, s+string(c))
				}
			}
			names = longer
			for _, s := range names {
				_, inA := a.Topic(s)
				_, inB := b.Topic(s)
				if inA && inB && (!found || len(name) > len(s)) {
					t.Fatalf("%q is in both, found %q", s, name)
				}
			}
		}
	})
}
