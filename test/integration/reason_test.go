package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// problem is one thing that a node's admin API says is wrong.
type problem struct {
	Where, Code, Text, Hint string
}

// problems asks a node what is wrong. A node that does not answer has none to tell.
func (m *mesh) problems(t testing.TB, node string) []problem {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+m.admin[node]+"/v1/status", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil
	}
	defer response.Body.Close()
	var status struct{ Problems []problem }
	if err := json.NewDecoder(response.Body).Decode(&status); err != nil {
		t.Fatalf("status of %s: %v", node, err)
	}
	return status.Problems
}

// awaitReason waits until a node's status has a problem with a code that concerns something.
func (m *mesh) awaitReason(t testing.TB, node, code, about string) problem {
	t.Helper()
	p, saw := m.findReason(t, node, code, about)
	if saw != "" {
		t.Fatalf("waited %s for %s about %s in the status of %s; last seen: %s", patience, code, about, node, saw)
	}
	return p
}

// findReason is awaitReason for a test that goes on without: it returns what it saw instead.
func (m *mesh) findReason(t testing.TB, node, code, about string) (found problem, saw string) {
	saw, ok := poll(t, patience, func() (string, bool) {
		all := m.problems(t, node)
		for _, p := range all {
			if p.Code == code && strings.Contains(p.Where+" "+p.Text, about) {
				found = p
				return "", true
			}
		}
		return fmt.Sprintf("%+v", all), false
	})
	if ok {
		return found, ""
	}
	return problem{}, saw
}

// awaitNoReason waits until a code is gone from a node's status.
func (m *mesh) awaitNoReason(t testing.TB, node, code string) {
	t.Helper()
	await(t, code+" to leave the status of "+node, func() (string, bool) {
		for _, p := range m.problems(t, node) {
			if p.Code == code {
				return fmt.Sprintf("%+v", p), false
			}
		}
		return "", true
	})
}

// awaitUp waits until a node's admin API answers.
func (m *mesh) awaitUp(t testing.TB, node string) {
	t.Helper()
	await(t, "the admin API of "+node, func() (string, bool) {
		response, err := http.Get("http://" + m.admin[node] + "/healthz")
		if err != nil {
			return err.Error(), false
		}
		response.Body.Close()
		return response.Status, response.StatusCode == http.StatusOK
	})
}

// explain tells, where the test failed, what a node has to say about the partitions that do not keep up.
func (m *mesh) explain(t testing.TB, node string) {
	if !t.Failed() {
		return
	}
	for _, f := range m.flows(t, node) {
		for _, p := range f.Parts {
			if !bytes.Contains(p, []byte(`"lag_records":0`)) {
				t.Logf("%s at %s: %s", f.Link, node, p)
			}
		}
	}
}

// flow is one topic over one link, as a node's admin API tells it.
type flow struct {
	Link, Topic, Kind string
	Held              int
	Parts             []json.RawMessage `json:"partition_list"`
}

// flows asks a node what it copies. A node that does not answer has none to tell.
func (m *mesh) flows(t testing.TB, node string) []flow {
	response, err := http.Get("http://" + m.admin[node] + "/v1/flows?partitions=true")
	if err != nil {
		return nil
	}
	defer response.Body.Close()
	var answer struct{ Flows []flow }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Log(err)
	}
	return answer.Flows
}

// held is how many partitions of a topic a node holds.
func (m *mesh) held(t testing.TB, node, topic string) (n int) {
	for _, f := range m.flows(t, node) {
		if f.Topic == topic {
			n += f.Held
		}
	}
	return n
}
