package topology

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
	"pgregory.net/rapid"
)

// The hash is compared between nodes of different releases, so it must not change from one to the next.
func TestHashStays(t *testing.T) {
	const want = "4b6b5634dc0eb62c828b3ba8aeda152fe98dcdca300565d5097687a06c5d3548"
	if got := parseText(t, mesh).Hash(); got != want {
		t.Errorf("hash %s", got)
	}
}

func TestHash(t *testing.T) {
	base := parseText(t, mesh)
	for name, c := range map[string]struct {
		edit []string
		same bool
	}{
		"comment":      {[]string{"mesh: m", "mesh: m # ours"}, true},
		"quotes":       {[]string{"mesh: m", "mesh: 'm'"}, true},
		"order":        {[]string{"version: 4\nmesh: m\n", "mesh: m\nversion: 4\n"}, true},
		"blocks":       {[]string{"  eu: {bootstrap: [\"eu:9092\"]}", "  eu:\n    bootstrap:\n      - eu:9092"}, true},
		"version":      {[]string{"version: 4", "version: 5"}, false},
		"mesh":         {[]string{"mesh: m", "mesh: n"}, false},
		"list order":   {[]string{"[orders, logs]", "[logs, orders]"}, false},
		"pair order":   {[]string{"between: [us, eu]", "between: [eu, us]"}, false},
		"list ends":    {[]string{"[orders, logs]", "[orders logs]"}, false},
		"moved by one": {[]string{"[orders, logs]", "[ordersl, ogs]"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			other := parseText(t, edit(t, mesh, c.edit...))
			if (other.Hash() == base.Hash()) != c.same {
				t.Errorf("hashes %s and %s", base.Hash(), other.Hash())
			}
		})
	}
}

// TestHashOrder shuffles the keys of every mapping.
func TestHashOrder(t *testing.T) {
	want := load(t, "../topology.yaml").Hash()
	rapid.Check(t, func(rt *rapid.T) {
		root := load(t, "../topology.yaml").root
		shuffle(root, rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0)))
		data, err := yaml.Marshal(root)
		if err != nil {
			rt.Fatal(err)
		}
		topo, err := Parse("shuffled", data)
		if err != nil {
			rt.Fatal(err)
		}
		if topo.Hash() != want {
			rt.Errorf("another hash for\n%s", data)
		}
	})
}

func shuffle(n *yaml.Node, r *rand.Rand) {
	for _, c := range n.Content {
		shuffle(c, r)
	}
	if n.Kind == yaml.MappingNode {
		r.Shuffle(len(n.Content)/2, func(i, j int) {
			n.Content[2*i], n.Content[2*j] = n.Content[2*j], n.Content[2*i]
			n.Content[2*i+1], n.Content[2*j+1] = n.Content[2*j+1], n.Content[2*i+1]
		})
	}
}

func TestNewer(t *testing.T) {
	four := parseText(t, mesh)
	five := parseText(t, edit(t, mesh, "version: 4", "version: 5"))
	fork := parseText(t, edit(t, mesh, "version: 4", "version: 5", "mesh: m", "mesh: n"))
	for _, c := range []struct {
		a, b *Topology
		want bool
	}{
		{five, four, true},
		{four, five, false},
		{four, four, false},
		{four, nil, true},
		{nil, four, false},
		{nil, nil, false},
		{five, fork, five.Hash() > fork.Hash()},
		{fork, five, fork.Hash() > five.Hash()},
	} {
		if got := Newer(c.a, c.b); got != c.want {
			t.Errorf("Newer(%s, %s) = %t", c.a.Stamp(), c.b.Stamp(), got)
		}
	}
}

// TestFollows: a person's edit takes the place of what runs only if it is of the same mesh and higher.
func TestFollows(t *testing.T) {
	now := parseText(t, mesh)
	for name, c := range map[string]struct {
		edit      []string
		why, hint string
	}{
		"the same":     {nil, "", ""},
		"a comment":    {[]string{"mesh: m", "mesh: m # ours"}, "", ""},
		"higher":       {[]string{"version: 4", "version: 5"}, "", ""},
		"another mesh": {[]string{"version: 4", "version: 5", "mesh: m", "mesh: n"}, "it is of the mesh n, this is m", ""},
		"lower":        {[]string{"version: 4", "version: 3"}, "version 4 runs, this one is version 3", "fetch what runs, and edit that; or give this one a version above 4"},
		"not numbered": {[]string{"[orders, logs]", "[orders]"}, "version 4 runs with hash " + now.Hash() + "; this one has the same version and hash ", "give the edit a version above 4"},
	} {
		t.Run(name, func(t *testing.T) {
			why, hint := parseText(t, edit(t, mesh, c.edit...)).Follows(now)
			if !strings.HasPrefix(why, c.why) || (why == "") != (c.why == "") || hint != c.hint {
				t.Errorf("%q, %q", why, hint)
			}
		})
	}
}

func TestEncode(t *testing.T) {
	for _, topo := range []*Topology{parseText(t, mesh), parseText(t, mesh).WithParent("abc"), load(t, "../topology.yaml").WithParent("def")} {
		got, err := Decode("raft", topo.Encode())
		if err != nil {
			t.Fatal(err)
		}
		same(t, got, topo)
		if got.Stamp() != topo.Stamp() || !bytes.Equal(got.Source(), topo.Source()) {
			t.Errorf("%s became %s", topo.Stamp(), got.Stamp())
		}
	}
}

func TestWithParent(t *testing.T) {
	base := parseText(t, mesh)
	child := base.WithParent("abc")
	if base.Parent != "" || child.Parent != "abc" || child.Hash() != base.Hash() {
		t.Errorf("parents %q and %q, hashes %s and %s", base.Parent, child.Parent, base.Hash(), child.Hash())
	}
}

func TestDecodeBad(t *testing.T) {
	for name, data := range map[string]string{
		"empty": "", "a file": mesh, "another format": "meshd-topology 2 -\n" + mesh, "no source": "meshd-topology 1 -",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Decode("raft", []byte(data)); err == nil {
				t.Error("decoded")
			}
		})
	}
	_, err := Decode("gossip", []byte("meshd-topology 1 -\nversion: 0\n"))
	problems, ok := errors.AsType[Problems](err)
	if !ok || !strings.HasPrefix(problems.Error(), "gossip:1:1: ") {
		t.Errorf("got %v", err)
	}
}

// TestEmbedded: what one process can run from code, it can't from a file.
func TestEmbedded(t *testing.T) {
	text := readFile(t, "testdata/bad/embedded_two_nodes.yaml")
	topo, err := ParseInProcess("demo", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Parse("file", topo.Source()); err == nil {
		t.Error("accepted from a file")
	}
	if _, err := Decode("raft", topo.Encode()); err != nil {
		t.Error(err)
	}
}
