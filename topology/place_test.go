package topology

import "testing"

// TestSettingPath finds what sets a key, and where that stands in the file.
func TestSettingPath(t *testing.T) {
	topo := load(t, "testdata/good/identity.yaml")
	for _, c := range []struct {
		link       int
		topic, key string
		want       string
	}{
		{0, "orders", "naming", "13:13: links[0].naming"},
		{0, "orders.us", "naming", "18:40: links[0].topics.rules[1].naming"},
		{0, "orders.eu", "provenance", "17:44: links[0].topics.rules[0].provenance"},
		{0, "state", "provenance", "12:5: links[0]"},
		{1, "a", "naming", "25:32: links[1].topics.rules[0].naming"},
		{1, "b", "naming", "20:5: links[1]"},
		{1, "b", "provenance", "21:17: links[1].provenance"},
	} {
		got := topo.Problem(topo.SettingPath(c.link, c.topic, c.key), "here", "move on").String()
		if want := "testdata/good/identity.yaml:" + c.want + ": here; move on"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestProblem(t *testing.T) {
	topo := load(t, "testdata/good/identity.yaml")
	for path, want := range map[string]string{
		"":              "2:1: here",
		"links":         "12:3: links: here",
		"links[1]":      "20:5: links[1]: here",
		"links[2]":      "12:3: links[2]: here",
		"links[x].name": "12:3: links[x].name: here",
		"limits.memory": "2:1: limits.memory: here",
	} {
		if got := topo.Problem(path, "here", "").String(); got != "testdata/good/identity.yaml:"+want {
			t.Errorf("%q: %s", path, got)
		}
	}
	if got := (&Topology{Links: []Link{{}}}).Problem("links[0]", "here", "").String(); got != ":1:1: links[0]: here" {
		t.Errorf("not parsed: %s", got)
	}
}
