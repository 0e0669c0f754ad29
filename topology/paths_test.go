package topology

import (
	"strings"
	"testing"
)

func TestPaths(t *testing.T) {
	topo := parseText(t, mesh)
	same(t, topo.Reachable(), map[Alias][]Alias{"ap": {"eu", "us"}, "eu": {"ap", "us"}, "us": {"ap", "eu"}})
	var pairs []string
	for pair, l := range topo.Pairs() {
		pairs = append(pairs, l.Name+" "+pair.String())
	}
	same(t, pairs, []string{"west us->eu", "west eu->us", "us<->ap us->ap", "us<->ap ap->us"})
	for range topo.Pairs() {
		break // a reader may stop
	}
}

// TestInflows: whoever is reached is served, directly or over others, paused or not; nobody serves itself.
func TestInflows(t *testing.T) {
	for name, c := range map[string]struct{ links, want string }{
		"a hub":            {"- between: {hub: us, spokes: [eu, ap]}", "eu->ap us->ap ap->eu us->eu ap->us eu->us"},
		"a hub, identity":  {"- {between: {hub: us, spokes: [eu, ap]}, naming: identity}", "eu->ap us->ap ap->eu us->eu ap->us eu->us"},
		"half of it rests": {"- between: [us, eu]\n  - {between: [us, ap], paused: true}", "eu->ap us->ap ap->eu us->eu ap->us eu->us"},
		"a chain":          {"- {from: [eu], to: [us]}\n  - {from: [us], to: [ap]}", "eu->ap us->ap eu->us"},
		"a ring":           {"- {from: [eu], to: [us]}\n  - {from: [us], to: [ap]}\n  - {from: [ap], to: [eu]}", "eu->ap us->ap ap->eu us->eu ap->us eu->us"},
		"two alone":        {"- between: [us, eu]", "us->eu eu->us"},
	} {
		t.Run(name, func(t *testing.T) {
			head, _, _ := strings.Cut(mesh, "links:\n")
			var got []string
			for _, pair := range parseText(t, head+"links:\n  "+c.links+"\n").Inflows() {
				got = append(got, pair.String())
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("got %v, want %s", got, c.want)
			}
		})
	}
}
