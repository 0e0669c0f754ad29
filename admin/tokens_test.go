package admin

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const twoTokens = `
tokens:
  - {name: grafana, role: view, token: 0b8c1f6e5d0a4f3c}
  - name: oncall
    role: admin
    token: "ffffffffffffffffffff"
`

func TestTokensFind(t *testing.T) {
	tokens, err := parseTokens([]byte(twoTokens))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		bearer, name string
		role         Role
	}{
		{"0b8c1f6e5d0a4f3c", "grafana", RoleView},
		{"ffffffffffffffffffff", "oncall", RoleAdmin},
		{"fffffffffffffffffff", "", open},
		{"", "", open},
		{"0b8c1f6e5d0a4f3c ", "", open},
	}
	for _, tc := range tests {
		name, role := tokens.find(tc.bearer)
		if name != tc.name || role != tc.role {
			t.Errorf("%q is %q with role %s, want %q with %s", tc.bearer, name, role, tc.name, tc.role)
		}
	}
}

func TestTokensThatAreRefused(t *testing.T) {
	tests := map[string]struct{ file, problems string }{
		"empty":          {"", "it has no tokens, so nobody could ask this node anything"},
		"no tokens":      {"tokens: []", "it has no tokens, so nobody could ask this node anything"},
		"not YAML":       {"tokens: [", "line 1: wants tokens: [{name: NAME, role: ROLE, token: TOKEN}]"},
		"unknown key":    {"tokens:\n  - {name: a, role: view, token: 0123456789abcdef, until: never}", "line 2: wants tokens: [{name: NAME, role: ROLE, token: TOKEN}]"},
		"a secret alone": {"tokens: 0123456789abcdef", "line 1: wants tokens: [{name: NAME, role: ROLE, token: TOKEN}]"},
		"two documents":  {twoTokens + "---\n" + twoTokens, "one document is wanted"},
		"all at once": {
			"tokens:\n  - {name: a, role: root, token: short}\n  - {name: a, role: view, token: 0123456789abcdef}\n  - {name: b, role: view, token: 0123456789abcdef}\n  - {role: view, token: 'with spaces in between'}",
			`tokens[0]: the role is not one of view, operate, admin
tokens[0]: the token wants at least 16 printable characters of ASCII, without spaces
tokens[1]: the name is missing or used twice
tokens[2]: another has the same token
tokens[3]: the name is missing or used twice
tokens[3]: the token wants at least 16 printable characters of ASCII, without spaces`,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := parseTokens([]byte(tc.file))
			if err == nil {
				t.Fatal("accepted")
			}
			if diff := cmp.Diff(tc.problems, err.Error()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestLoadTokens(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tokens.yaml")
	if _, err := LoadTokens(file); err == nil {
		t.Error("a file that is not there was loaded")
	}
	if err := os.WriteFile(file, []byte(twoTokens), 0o600); err != nil {
		t.Fatal(err)
	}
	tokens, err := LoadTokens(file)
	if err != nil || len(tokens.all) != 2 {
		t.Errorf("got %v, %v", tokens, err)
	}
}

// FuzzTokens looks for panics, for files that let everybody in, and for errors that give a token away.
func FuzzTokens(f *testing.F) {
	f.Add(twoTokens)
	f.Add("tokens: 0123456789abcdef")
	f.Add("tokens: [{token: [0123456789abcdef]}, 0123456789abcdef: view]")
	f.Add("tokens: [{role: 0123456789abcdef, name: 0123456789abcdef, token: view}]")
	f.Fuzz(func(t *testing.T, file string) {
		tokens, err := parseTokens([]byte(file))
		if err != nil {
			if strings.Contains(err.Error(), "01234") {
				t.Errorf("the error shows a token: %v", err)
			}
			return
		}
		if _, role := tokens.find(""); role != open {
			t.Error("the empty token has a role")
		}
		for _, k := range tokens.all {
			if k.role < RoleView || k.role > RoleAdmin || k.name == "" {
				t.Errorf("token %q with role %d", k.name, k.role)
			}
		}
	})
}

// TestARoleThatIsTooLow asks for roles that no path wants yet.
func TestARoleThatIsTooLow(t *testing.T) {
	tokens, err := parseTokens([]byte(twoTokens))
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{cfg: Config{Tokens: tokens}}
	for _, tc := range []struct {
		bearer string
		need   Role
		status int // 0: it may
	}{
		{"0b8c1f6e5d0a4f3c", RoleView, 0},
		{"0b8c1f6e5d0a4f3c", RoleOperate, http.StatusForbidden},
		{"ffffffffffffffffffff", RoleAdmin, 0},
		{"unknown", RoleAdmin, http.StatusUnauthorized},
	} {
		r := &http.Request{Header: http.Header{"Authorization": {"Bearer " + tc.bearer}}}
		status := 0
		if refused, ok := errors.AsType[*refusal](s.mayNot(r, tc.need)); ok {
			status = refused.status
		}
		if status != tc.status {
			t.Errorf("%s for %s: status %d, want %d", tc.bearer, tc.need, status, tc.status)
		}
	}
}
