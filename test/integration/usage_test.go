package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const sound = `version: 1
mesh: it
clusters:
  us: {bootstrap: ["127.0.0.1:1"]}
  eu: {bootstrap: ["127.0.0.1:2"]}
nodes:
  us-1: {datacenter: us, address: 127.0.0.1}
  eu-1: {datacenter: eu, address: 127.0.0.2}
links:
  - between: [us, eu]
`

// What the user got wrong is said with its place, and ends the process with exit code 2 before it did anything.
func TestUsersMistakes(t *testing.T) {
	parallel(t)
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := file("sound.yaml", sound)
	broken := file("broken.yaml", strings.Replace(strings.Replace(sound, "datacenter: eu", "datacenter: mars", 1), "between", "betwen", 1))
	types := file("types.yaml", strings.Replace(strings.Replace(sound, "version: 1", "version: one", 1), `["127.0.0.1:1"]`, `["127.0.0.1:1"], tls: 5`, 1))
	secret := file("secret.yaml", strings.Replace(sound, `["127.0.0.1:1"]`, `["127.0.0.1:1"], tls: {ca: none.pem}`, 1))
	for name, test := range map[string]struct {
		arguments []string
		says      []string
	}{
		"no topology":     {[]string{"--node", "us-1"}, []string{"topology"}},
		"no such file":    {[]string{"--topology", filepath.Join(dir, "none.yaml"), "--node", "us-1"}, []string{"none.yaml", "no such file"}},
		"a directory":     {[]string{"--topology", dir, "--node", "us-1"}, []string{dir}},
		"not YAML":        {[]string{"--topology", file("not.yaml", "version: [1\n"), "--node", "us-1"}, []string{"not.yaml:"}},
		"an empty file":   {[]string{"--topology", file("empty.yaml", ""), "--node", "us-1"}, []string{"empty.yaml"}},
		"several at once": {[]string{"--topology", broken, "--node", "us-1"}, []string{"broken.yaml:8:", "broken.yaml:10:", "betwen", "mars"}},
		"wrong types":     {[]string{"--topology", types, "--node", "us-1"}, []string{"types.yaml:1:", "types.yaml:4:", "whole number", "keys and values"}},
		"no secret":       {[]string{"--topology", secret, "--node", "us-1"}, []string{"cluster us", "none.pem", "--secrets-dir"}},
		"file for dir":    {[]string{"--topology", good, "--node", "us-1", "--data-dir", good}, []string{"data directory", good}},
		"no data dir":     {[]string{"--topology", good, "--node", "us-1", "--data-dir", ""}, []string{"--data-dir"}},
		"no log level":    {[]string{"--topology", good, "--node", "us-1", "--log-level", "loud"}, []string{"--log-level", "warn", "loud"}},
		"unknown node":    {[]string{"--topology", good, "--node", "us-7"}, []string{"us-7", "eu-1, us-1"}},
		"no node":         {[]string{"--topology", good}, []string{"node"}},
		"unknown flag":    {[]string{"--topology", good, "--node", "us-1", "--fast"}, []string{"--fast"}},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := command(t, append([]string{"run", "--data-dir", t.TempDir()}, test.arguments...)...)
			if code != 2 {
				t.Errorf("exit code %d, want 2", code)
			}
			for _, s := range test.says {
				if !strings.Contains(stderr, s) {
					t.Errorf("it does not say %q:\n%s%s", s, stdout, stderr)
				}
			}
			for line := range strings.Lines(stderr) {
				if strings.Count(stderr, line) > 1 {
					t.Errorf("said twice: %s", line)
				}
			}
			if strings.Contains(stderr, "panic") || strings.Contains(stderr, "goroutine ") {
				t.Errorf("a stack trace is no answer:\n%s", stderr)
			}
		})
	}
}

// A command that there is not is a mistake too.
func TestUnknownCommand(t *testing.T) {
	parallel(t)
	for _, arguments := range [][]string{{"frobnicate"}, {"validate"}, {"validate", "a", "b"}} {
		if code, stdout, stderr := command(t, arguments...); code != 2 || stderr == "" {
			t.Errorf("meshd %s: exit code %d, want 2; it said %q %q", strings.Join(arguments, " "), code, stdout, stderr)
		}
	}
}

// Two processes never share a data directory.
func TestDataDirectoryInUse(t *testing.T) {
	parallel(t)
	m := newMesh(t, link("us, eu", "unused"), shared(t, "us", "eu")...)
	dir := t.TempDir()
	first := m.startIn(t, "eu-1", dir)
	m.awaitUp(t, "eu-1")
	m.write(t)
	second := m.startIn(t, "eu-1", dir)
	if code := second.exit(t); code == 0 {
		t.Errorf("exit code %d", code)
	}
	if second.said(dir) == "" {
		t.Errorf("it does not name the directory:\n%s", second.says.Tail(20))
	}
	if !first.Running() {
		t.Error("the first one ended")
	}
}
