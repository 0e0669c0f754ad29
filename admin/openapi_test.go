package admin_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/meshd/meshd/admin"
	"github.com/meshd/meshd/admin/admintest"
)

// openAPI is as much of openapi.yaml as its checks need.
type openAPI struct {
	Paths map[string]map[string]struct {
		Parameters []struct{ Name string }
		Responses  map[string]response
	}
	Components struct {
		Responses map[string]response
		Schemas   map[string]schema
	}
}

type response struct {
	Ref     string `yaml:"$ref"`
	Content map[string]struct{ Schema schema }
}

type schema struct {
	Ref        string `yaml:"$ref"`
	Type       any    // a name, or several
	Enum       []string
	Required   []string
	Properties map[string]schema
	Items      *schema
}

func readSchema(t *testing.T) *openAPI {
	t.Helper()
	data, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var o openAPI
	if err := yaml.Unmarshal(data, &o); err != nil {
		t.Fatal(err)
	}
	return &o
}

// check holds an answer against what is promised for its path and status.
func (o *openAPI) check(t *testing.T, path string, status int, body []byte) {
	t.Helper()
	path, _, _ = strings.Cut(path, "?")
	promised := o.Components.Responses["Error"]
	if ops, ok := o.Paths[path]; ok {
		promised, ok = ops["get"].Responses[strconv.Itoa(status)]
		if !ok {
			t.Fatalf("openapi.yaml has no status %d for %s", status, path)
		}
	}
	if promised.Ref != "" {
		promised = o.Components.Responses[lastOf(promised.Ref)]
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatal(err)
	}
	for _, problem := range o.mismatches("$", promised.Content["application/json"].Schema, v) {
		t.Errorf("%s: %s", path, problem)
	}
}

func lastOf(ref string) string { return ref[strings.LastIndexByte(ref, '/')+1:] }

// mismatches are all places where a value is not what its schema says, and names that the schema does not have.
func (o *openAPI) mismatches(at string, s schema, v any) (out []string) {
	if s.Ref != "" {
		s = o.Components.Schemas[lastOf(s.Ref)]
	}
	if !slices.Contains(s.types(), typeOf(v)) {
		return []string{fmt.Sprintf("%s is %s, want %v", at, typeOf(v), s.Type)}
	}
	switch v := v.(type) {
	case map[string]any:
		for _, name := range s.Required {
			if _, ok := v[name]; !ok {
				out = append(out, fmt.Sprintf("%s has no %s", at, name))
			}
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			p, ok := s.Properties[name]
			if !ok {
				out = append(out, fmt.Sprintf("%s.%s is not in openapi.yaml", at, name))
				continue
			}
			out = append(out, o.mismatches(at+"."+name, p, v[name])...)
		}
	case []any:
		for i, item := range v {
			out = append(out, o.mismatches(fmt.Sprintf("%s[%d]", at, i), *s.Items, item)...)
		}
	case string:
		if len(s.Enum) > 0 && !slices.Contains(s.Enum, v) {
			out = append(out, fmt.Sprintf("%s is %q, not one of %v", at, v, s.Enum))
		}
	}
	return out
}

// types are the names of what a value may be. A whole number is a number too.
func (s schema) types() (out []string) {
	switch t := s.Type.(type) {
	case string:
		out = []string{t}
	case []any:
		for _, name := range t {
			out = append(out, fmt.Sprint(name))
		}
	}
	if slices.Contains(out, "number") {
		out = append(out, "integer")
	}
	return out
}

func typeOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case float64:
		if v == float64(int64(v)) {
			return "integer"
		}
		return "number"
	}
	return "object"
}

func TestOpenAPIHasThePathsThatAreServed(t *testing.T) {
	o := readSchema(t)
	s := serve(t, whole(admintest.Well(time.Now())))
	want := slices.Sorted(maps.Keys(o.Paths))
	if diff := cmp.Diff(want, s.Paths()); diff != "" {
		t.Errorf("paths of openapi.yaml (-) and of the server (+):\n%s", diff)
	}
}

func TestOpenAPIHasTheParametersThatAreTaken(t *testing.T) {
	o := readSchema(t)
	for path, want := range map[string][]string{
		"/v1/flows":     {"partitions"},
		"/v1/translate": {"from", "group", "offset", "partition", "to", "topic"},
	} {
		var got []string
		for _, p := range o.Paths[path]["get"].Parameters {
			got = append(got, p.Name)
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

// TestOpenAPIKnowsWhatIsWrong shows that the check of answers can fail.
func TestOpenAPIKnowsWhatIsWrong(t *testing.T) {
	o := readSchema(t)
	problem := func(change func(map[string]any)) []string {
		data, err := json.Marshal(admin.Problem{Level: admin.LevelError, Of: "shard"})
		if err != nil {
			t.Fatal(err)
		}
		v := map[string]any{}
		if err := json.Unmarshal(data, &v); err != nil {
			t.Fatal(err)
		}
		change(v)
		return o.mismatches("$", o.Components.Schemas["Problem"], v)
	}
	tests := map[string]func(map[string]any){
		"$ has no code":                                         func(v map[string]any) { delete(v, "code") },
		"$.more is not in openapi.yaml":                         func(v map[string]any) { v["more"] = 1. },
		"$.text is null, want string":                           func(v map[string]any) { v["text"] = nil },
		"$.count is number, want integer":                       func(v map[string]any) { v["count"] = 1.5 },
		`$.level is "bad", not one of [critical error warning]`: func(v map[string]any) { v["level"] = "bad" },
	}
	for want, change := range tests {
		if got := problem(change); len(got) != 1 || got[0] != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := problem(func(map[string]any) {}); len(got) > 0 {
		t.Errorf("a good one: %q", got)
	}
}
