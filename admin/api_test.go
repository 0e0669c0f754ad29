package admin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshd/meshd/admin"
	"github.com/meshd/meshd/admin/admintest"
	"github.com/meshd/meshd/kafka"
)

var rewrite = flag.Bool("rewrite", false, "write what is answered to the files of testdata")

// running is a server that answers on a port of its own until the test ends.
type running struct {
	*admin.Server
	url    string
	client *http.Client
}

func serve(t *testing.T, cfg admin.Config) *running {
	t.Helper()
	cfg.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	s, err := admin.Listen(t.Context(), "127.0.0.1:0", cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // in a bubble, no time passes while a connection idles
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return &running{s, "http://" + s.Addr().String(), client}
}

// whole has every part of a node.
func whole(n *admintest.Node) admin.Config {
	return admin.Config{
		Node: n.Name, Datacenter: "eu", Build: "1.2.0", Watch: admin.NewWatch(n, n), Groups: n, Nodes: n, Translator: n, Topologies: n,
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "meshd_up 1") }),
	}
}

func (r *running) get(t *testing.T, path string, header ...string) (int, http.Header, []byte) {
	t.Helper()
	return r.do(t, http.MethodGet, path, header...)
}

func (r *running) do(t *testing.T, method, path string, header ...string) (int, http.Header, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, r.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := r.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }() // it was read to its end
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, b.Bytes()
}

var answers = []struct {
	file, path string
	node       func(time.Time) *admintest.Node
	status     int
}{
	{"status_well", "/v1/status", admintest.Well, 200},
	{"status_troubled", "/v1/status", admintest.Troubled, 200},
	{"status_cut", "/v1/status", admintest.Cut, 200},
	{"status_starting", "/v1/status", starting, 200},
	{"flows_well", "/v1/flows", admintest.Well, 200},
	{"flows_troubled", "/v1/flows?partitions=true", admintest.Troubled, 200},
	{"flows_cut", "/v1/flows", admintest.Cut, 200},
	{"status_spoke", "/v1/status", admintest.Spoke, 200},
	{"flows_spoke", "/v1/flows?partitions=true", admintest.Spoke, 200},
	{"flows_bad", "/v1/flows?partitions=yes", admintest.Well, 400},
	{"groups_troubled", "/v1/groups", admintest.Troubled, 200},
	{"nodes_troubled", "/v1/nodes", admintest.Troubled, 200},
	{"topology_troubled", "/v1/topology", admintest.Troubled, 200},
	{"topology_starting", "/v1/topology", starting, 200},
	{"translate_group", "/v1/translate?group=billing&from=us&to=eu", admintest.Well, 200},
	{"translate_no_cluster", "/v1/translate?group=billing&from=us&to=ue", admintest.Well, 404},
	{"ready_well", "/readyz", admintest.Well, 200},
	{"ready_starting", "/readyz", starting, 503},
	{"health", "/healthz", starting, 200},
	{"no_path", "/v2/status", admintest.Well, 404},
}

func starting(time.Time) *admintest.Node { return admintest.Starting() }

func TestAnswers(t *testing.T) {
	schema := readSchema(t)
	for _, a := range answers {
		t.Run(a.file, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { checkAnswer(t, schema, a.file, a.path, a.node(time.Now()), a.status) })
		})
	}
}

func checkAnswer(t *testing.T, schema *openAPI, file, path string, n *admintest.Node, want int) {
	s := serve(t, whole(n))
	status, header, body := s.get(t, path)
	if status != want || header.Get("Content-Type") != "application/json" {
		t.Errorf("status %d of type %q, want %d", status, header.Get("Content-Type"), want)
	}
	schema.check(t, path, status, body)
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, body, "", "  "); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	golden(t, file+".json", pretty.Bytes())
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	file = filepath.Join("testdata", file)
	if *rewrite {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func TestAPartThatIsNotThereHasNoPath(t *testing.T) {
	s := serve(t, admin.Config{Node: "eu-1"})
	for _, a := range answers {
		path, _, _ := strings.Cut(a.path, "?")
		want := http.StatusNotFound
		if path == "/healthz" {
			want = http.StatusOK
		}
		if status, _, body := s.get(t, path); status != want {
			t.Errorf("%s: status %d, want %d: %s", path, status, want, body)
		}
	}
}

func TestRefusals(t *testing.T) {
	n := admintest.Well(time.Now())
	s := serve(t, whole(n))
	tests := []struct {
		method, path string
		err          error // of the translator
		status       int
		says         string
	}{
		{"POST", "/v1/status", nil, 405, "only GET"},
		{"GET", "/", nil, 404, "/v1/status"},
		{"GET", "/v1", nil, 404, "/v1/status"},
		{"GET", "/v1/translate", nil, 400, "aliases of two clusters"},
		{"GET", "/v1/translate?from=us&to=us&group=g", nil, 400, "aliases of two clusters"},
		{"GET", "/v1/translate?from=us&to=eu", nil, 400, "either a group"},
		{"GET", "/v1/translate?from=us&to=eu&group=g&topic=t", nil, 400, "either a group"},
		{"GET", "/v1/translate?from=us&to=eu&topic=t&partition=0", nil, 400, "whole numbers"},
		{"GET", "/v1/translate?from=us&to=eu&topic=t&partition=0&offset=-1", nil, 400, "whole numbers"},
		{"GET", "/v1/translate?from=us&to=eu&topic=t&partition=3000000000&offset=1", nil, 400, "whole numbers"},
		{"GET", "/v1/translate?from=us&to=eu&group=g&gruop=h", nil, 400, "gruop"},
		{"GET", "/v1/translate?from=us&to=eu&group=g&group=h", nil, 400, "twice"},
		{"GET", "/v1/translate?from=us&to=mars&group=g", nil, 404, "[eu old us]"},
		{"GET", "/v1/translate?from=us&to=eu&group=g", fmt.Errorf("group g: %w", admin.ErrUnknown), 404, "not known here"},
		{"GET", "/v1/translate?from=us&to=eu&group=g", kafka.Because("registry_lost", "it is gone", "restore it"), 502, "restore it"},
		{"GET", "/v1/translate?from=us&to=eu&group=g", fmt.Errorf("asking: %w", context.DeadlineExceeded), 504, "deadline"},
		{"GET", "/v1/translate?from=us&to=eu&group=g", errors.New("something else"), 502, "something else"},
	}
	for _, tc := range tests {
		n.Err = tc.err
		status, _, body := s.do(t, tc.method, tc.path)
		var e admin.ErrorAnswer
		if err := json.Unmarshal(body, &e); err != nil || status != tc.status || !strings.Contains(e.Error+" "+e.Hint, tc.says) {
			t.Errorf("%s %s: status %d, want %d; %q wanted in %s", tc.method, tc.path, status, tc.status, tc.says, body)
		}
	}
}
