package topology

import (
	"os"
	"strings"
	"testing"
)

func parseText(t *testing.T, text string) *Topology {
	t.Helper()
	topo, err := ParseInProcess("test.yaml", []byte(text))
	if err != nil {
		t.Fatalf("refused:\n%v\n%s", err, text)
	}
	return topo
}

// edit replaces parts of a file: what, with what, what, with what.
func edit(t *testing.T, text string, parts ...string) string {
	t.Helper()
	for i := 0; i < len(parts); i += 2 {
		if strings.Count(text, parts[i]) != 1 {
			t.Fatalf("%q is %d times in the file", parts[i], strings.Count(text, parts[i]))
		}
		text = strings.Replace(text, parts[i], parts[i+1], 1)
	}
	return text
}

const mesh = `
version: 4
mesh: m
clusters:
  us: {bootstrap: ["us:9092"]}
  eu: {bootstrap: ["eu:9092"]}
  ap: {bootstrap: ["ap:9092"]}
nodes:
  us-1: {datacenter: us, gossip: "127.0.0.1:1946", raft: "127.0.0.1:1947", admin: "127.0.0.1:1948"}
  eu-1: {datacenter: eu, gossip: "127.0.0.1:2946", raft: "127.0.0.1:2947", admin: "127.0.0.1:2948"}
  ap-1.example: {datacenter: ap}
links:
  - name: west
    between: [us, eu]
    topics: {include: [orders, logs], rules: [{match: logs, on_gap: continue}]}
  - between: [us, ap]
`

func TestDiff(t *testing.T) {
	for name, c := range map[string]struct {
		edit []string
		want string
	}{
		"nothing": {nil, ""},
		"layout":  {[]string{"mesh: m\n", "# A comment.\nmesh: \"m\"\n"}, ""},
		"keys": {
			[]string{"version: 4", "version: 5", "[orders, logs]", "[orders]", "on_gap: continue", "on_gap: stop, start: latest"},
			`
changed links.west.topics.include: [orders, logs] -> [orders]
changed links.west.topics.rules: [{match: logs, on_gap: continue}] -> [{match: logs, on_gap: stop, start: latest}]
changed version: 4 -> 5`,
		},
		"a key comes and one goes": {
			[]string{", rules: [{match: logs, on_gap: continue}]", "", "  - between: [us, ap]", "  - between: [us, ap]\n    paused: true"},
			`
added links.us<->ap.paused: true
removed links.west.topics.rules: [{match: logs, on_gap: continue}]`,
		},
		"a cluster goes": {
			[]string{"  ap: {bootstrap: [\"ap:9092\"]}\n", "", "  ap-1.example: {datacenter: ap}\n", "", "  - between: [us, ap]\n", ""},
			`
removed cluster ap
removed link us<->ap
removed node ap-1.example
removed pair ap->us
removed pair us->ap`,
		},
		"a cluster joins a link": {
			[]string{"between: [us, eu]", "between: [us, eu, ap]", "  - between: [us, ap]\n", ""},
			`
removed link us<->ap
changed links.west.between: [us, eu] -> [us, eu, ap]
added pair ap->eu
changed pair ap->us: link us<->ap -> link west
added pair eu->ap
changed pair us->ap: link us<->ap -> link west`,
		},
		"a node moves": {
			[]string{"127.0.0.1:1946", "127.0.0.1:3946"},
			"\nchanged nodes.us-1.gossip: 127.0.0.1:1946 -> 127.0.0.1:3946",
		},
		"a link gets a name": {
			[]string{"  - between: [us, ap]", "  - {name: east, between: [us, ap]}"},
			`
added link east
removed link us<->ap
changed pair ap->us: link us<->ap -> link east
changed pair us->ap: link us<->ap -> link east`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got strings.Builder
			for _, change := range Diff(parseText(t, mesh), parseText(t, edit(t, mesh, c.edit...))) {
				got.WriteString("\n" + change.String())
			}
			if got.String() != c.want {
				t.Errorf("got:%s\nwant:%s", got.String(), c.want)
			}
		})
	}
}

func TestLosses(t *testing.T) {
	topics := map[Alias][]string{"us": {"orders", "logs", "x"}, "eu": {"orders", "logs"}, "ap": {"a", "__b"}}
	withoutAP := []string{"  ap: {bootstrap: [\"ap:9092\"]}\n", "", "  ap-1.example: {datacenter: ap}\n", "", "  - between: [us, ap]\n", ""}
	for name, c := range map[string]struct {
		edit                  []string
		topics                map[Alias][]string
		clusters, flows, lost int
		consent               bool
	}{
		"nothing":                          {nil, topics, 0, 8, 0, false},
		"nothing, topics not known":        {nil, nil, 0, 4, 0, false},
		"a cluster":                        {withoutAP, topics, 1, 8, 4, true},
		"a topic of two":                   {[]string{"[orders, logs]", "[orders]"}, topics, 0, 8, 2, true},
		"patterns, topics not known":       {[]string{"[orders, logs]", "[orders]"}, nil, 0, 4, 0, false},
		"one flow of eight":                {[]string{"us, ap]\n", "us, ap]\n    topics: {exclude: [x]}\n"}, topics, 0, 8, 1, false},
		"a pair of four, topics not known": {[]string{"between: [us, ap]", "{from: [us], to: [ap]}"}, nil, 0, 4, 1, true},
		"known at one cluster alone":       {nil, map[Alias][]string{"us": {"orders"}}, 0, 4, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := Losses(parseText(t, mesh), parseText(t, edit(t, mesh, c.edit...)), c.topics)
			if len(r.Clusters) != c.clusters || r.Flows != c.flows || r.Lost != c.lost || r.NeedConsent() != c.consent {
				t.Errorf("got %+v, consent %t", r, r.NeedConsent())
			}
		})
	}
}

func TestNeedConsent(t *testing.T) {
	for _, c := range []struct {
		r    Removals
		want bool
	}{
		{Removals{}, false}, {Removals{Flows: 5, Lost: 1}, false}, {Removals{Flows: 9, Lost: 2}, true}, {Removals{Clusters: []Alias{"a"}, Flows: 9}, true},
	} {
		if got := c.r.NeedConsent(); got != c.want {
			t.Errorf("%+v: %t", c.r, got)
		}
	}
}

func TestNames(t *testing.T) {
	text := edit(t, mesh, "  - name: west\n    between: [us, eu]\n", "  - between: {hub: us, spokes: [eu]}\n", "  - between: [us, ap]", "  - {from: [us, ap], to: [ap]}\n  - {from: [\"*\"], to: [us, eu], name: x}")
	text = edit(t, text, "from: [\"*\"], to: [us, eu]", "from: [ap], to: [us, eu]")
	var got []string
	for _, l := range parseText(t, text).Links {
		got = append(got, l.Name)
	}
	same(t, got, []string{"us<->eu", "us,ap->ap", "x"})
}

func TestStar(t *testing.T) {
	text := edit(t, mesh, "between: [us, eu]", "between: {hub: ap, spokes: [\"*\"]}", "  - between: [us, ap]\n", "")
	topo := parseText(t, text)
	same(t, topo.Links[0].Pairs, []Pair{{"ap", "us"}, {"us", "ap"}, {"ap", "eu"}, {"eu", "ap"}})
}

func readFile(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
