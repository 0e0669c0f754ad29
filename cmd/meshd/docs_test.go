package main

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshd/meshd/admin"
	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/topology"
)

const repository = "../.."

// pagesOf are the texts for people, by path.
func pagesOf(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob(repository + "/docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, file := range append(files, repository+"/README.md", repository+"/CONTRIBUTING.md") {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		out[file] = string(data)
	}
	return out
}

var (
	fence  = regexp.MustCompile("(?s)```([a-z]*)\n(.*?)```")
	inline = regexp.MustCompile("`([^`\n]+)`")
)

// commandsOf are the lines of a page's blocks, and what stands between backquotes in its text.
func commandsOf(page string) (out []string) {
	for _, m := range fence.FindAllStringSubmatch(page, -1) {
		out = append(out, strings.Split(m[2], "\n")...)
	}
	for _, m := range inline.FindAllStringSubmatch(fence.ReplaceAllString(page, ""), -1) {
		out = append(out, m[1])
	}
	for i := range out {
		out[i] = strings.TrimPrefix(strings.TrimSpace(out[i]), "$ ")
	}
	return out
}

// Every command that a page shows exists, with its flags and its arguments.
func TestCommandsInPagesExist(t *testing.T) {
	found := 0
	for file, page := range pagesOf(t) {
		for _, line := range commandsOf(page) {
			args, ok := strings.CutPrefix(strings.TrimPrefix(line, "go run ./cmd/"), "meshd ")
			if !ok || strings.Contains(line, "->") || !regexp.MustCompile(`^[a-z]+( |$)`).MatchString(args) {
				continue
			}
			found++
			if why := callable(strings.Fields(args)); why != nil {
				t.Errorf("%s: %s: %v", file, line, why)
			}
		}
	}
	if found < 5 {
		t.Errorf("only %d commands were found: the test does not see them", found)
	}
}

// callable says why a command line would be refused. One that is a mere name needs no arguments.
func callable(args []string) error {
	cmd, rest, err := newRoot().Find(args)
	if err != nil {
		return err
	}
	if !cmd.HasParent() {
		return errors.New("there is no such command")
	}
	if len(rest) == 0 {
		return nil
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	if err := cmd.ValidateArgs(cmd.Flags().Args()); err != nil {
		return err
	}
	return cmd.ValidateRequiredFlags()
}

func TestWrongCommandsAreSeen(t *testing.T) {
	for _, line := range []string{"status --nodes x", "frobnicate", "validate a b", "run --topology x --node y", "explain group g"} {
		if callable(strings.Fields(line)) == nil {
			t.Errorf("%s passes", line)
		}
	}
}

// Every whole topology that a page shows is valid.
func TestTopologiesInPagesAreValid(t *testing.T) {
	found := 0
	for file, page := range pagesOf(t) {
		for _, m := range fence.FindAllStringSubmatch(page, -1) {
			if m[1] != "yaml" || !strings.HasPrefix(m[2], "version:") {
				continue
			}
			found++
			if _, err := topology.Parse(file, []byte(m[2])); err != nil {
				t.Error(err)
			}
		}
	}
	if found < 2 {
		t.Errorf("only %d topologies were found", found)
	}
}

// Every make target, script and linked file that a page names exists.
func TestNamesInPagesExist(t *testing.T) {
	makefile, err := os.ReadFile(repository + "/Makefile")
	if err != nil {
		t.Fatal(err)
	}
	link := regexp.MustCompile(`\]\(([^)#:]+)\)`)
	script := regexp.MustCompile(`^(scripts/[a-z-]+\.sh)\b`)
	target := regexp.MustCompile(`^make ([a-z-]+)$`)
	for file, page := range pagesOf(t) {
		for _, m := range link.FindAllStringSubmatch(page, -1) {
			exists(t, file, filepath.Join(filepath.Dir(file), m[1]))
		}
		for _, line := range commandsOf(page) {
			if m := script.FindStringSubmatch(line); m != nil {
				exists(t, file, filepath.Join(repository, m[1]))
			}
			if m := target.FindStringSubmatch(line); m != nil && !bytes.Contains(makefile, []byte("\n"+m[1]+":")) {
				t.Errorf("%s: there is no target %s", file, m[1])
			}
		}
	}
}

func exists(t *testing.T, page, path string) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		t.Errorf("%s: %v", page, err)
	}
}

// Every test that a page gives as proof exists: `flow.TestX`, or a file.
func TestProofsInPagesExist(t *testing.T) {
	proof := regexp.MustCompile(`^([a-z0-9/]+)\.(Test[A-Za-z0-9]+)$`)
	found := 0
	for file, page := range pagesOf(t) {
		for _, name := range commandsOf(page) {
			if strings.HasSuffix(name, "_test.go") {
				exists(t, file, filepath.Join(repository, name))
			}
			m := proof.FindStringSubmatch(name)
			if m == nil {
				continue
			}
			found++
			files, err := filepath.Glob(filepath.Join(repository, m[1], "*_test.go"))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(files, func(f string) bool {
				data, err := os.ReadFile(f)
				return err == nil && bytes.Contains(data, []byte("func "+m[2]+"("))
			}) {
				t.Errorf("%s: there is no %s", file, name)
			}
		}
	}
	if found == 0 {
		t.Error("no proof was found")
	}
}

// What the README shows of a status is what a status prints.
func TestSampleInReadmeIsReal(t *testing.T) {
	data, err := os.ReadFile(repository + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	var shown string
	for _, m := range fence.FindAllStringSubmatch(string(data), -1) {
		if first, rest, _ := strings.Cut(m[2], "\n"); strings.HasPrefix(first, "$ meshd status") {
			shown = rest
		}
	}
	link := func(name string, rpo float64, topics, partitions int) admin.LinkStatus {
		return admin.LinkStatus{
			Link: name, State: flow.Streaming, Up: true, Ready: true, Topics: topics, Partitions: partitions, Moving: partitions,
			LagRecords: new(int64), RPOSeconds: &rpo, Shards: make([]flow.ShardStatus, partitions),
		}
	}
	stamp := topology.Stamp{Version: 1, Hash: "8c0f3a5d00"}
	var got strings.Builder
	if err := printStatus(&got, admin.Status{
		Links:    []admin.LinkStatus{link("eu->us", 0, 1, 1), link("us->eu", 0.5, 2, 9)},
		Clusters: []flow.ClusterStatus{{Alias: "eu", ID: "Q1Jv0Zc3T9G2cS8b4r6LwA"}, {Alias: "us", ID: "pK7mX2nDRkq5yV0tH3uE9g"}},
		Nodes:    []admin.NodeBrief{{Node: "eu-1", Datacenter: "eu", Ready: true, Topology: stamp, Build: "dev"}, {Node: "us-1", Datacenter: "us", Ready: true, Topology: stamp, Build: "dev"}},
	}); err != nil {
		t.Fatal(err)
	}
	if shown != got.String() {
		t.Errorf("it shows:\n%s\na status is:\n%s", shown, got.String())
	}
}

// What a page shows of a simulation is what is simulated from the topology above it.
func TestSimulationsInPagesAreReal(t *testing.T) {
	found := 0
	for file, page := range pagesOf(t) {
		source := ""
		for _, m := range fence.FindAllStringSubmatch(page, -1) {
			if m[1] == "yaml" && strings.HasPrefix(m[2], "version:") {
				source = m[2]
			}
			command, shown, _ := strings.Cut(m[2], "\n")
			if command != "$ meshd simulate topology.yaml" {
				continue
			}
			found++
			path := filepath.Join(t.TempDir(), "topology.yaml")
			if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
				t.Fatal(err)
			}
			var got, errors bytes.Buffer
			if code := run(t.Context(), []string{"simulate", path}, &got, &errors); code != exitDone || got.String() != shown {
				t.Errorf("%s shows:\n%s\na simulation is:\n%s%s", file, shown, got.String(), errors.String())
			}
		}
	}
	if found == 0 {
		t.Error("no simulation was found")
	}
}

// Every metric is on the page for operators, and every one there exists.
func TestMetricsInPagesAreThose(t *testing.T) {
	quoted := regexp.MustCompile(`"(meshd_[a-z_]+)"`)
	made := map[string]bool{}
	for _, dir := range []string{"admin/metrics", "mesh", "mesh/gossip", "raftstore"} {
		files, err := filepath.Glob(filepath.Join(repository, dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range quoted.FindAllStringSubmatch(string(data), -1) {
				if !strings.HasSuffix(file, "_test.go") {
					made[m[1]] = true
				}
			}
		}
	}
	told, page := map[string]bool{}, pagesOf(t)[repository+"/docs/OPERATIONS.md"]
	for _, name := range regexp.MustCompile(`\bmeshd_[a-z_]+`).FindAllString(page, -1) {
		told[name] = true
	}
	if len(made) < 30 || !maps.Equal(made, told) {
		t.Errorf("metrics that are made, and are told of:\n%s", cmp.Diff(made, told))
	}
}
