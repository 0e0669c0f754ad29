package admin

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// Role is what a client may do. Each includes those below it.
type Role int

// The roles.
const (
	open        Role = iota
	RoleView         // ask
	RoleOperate      // pause, resume, move groups
	RoleAdmin        // change the topology
)

var roleNames = [...]string{"open", "view", "operate", "admin"}

func (r Role) String() string { return roleNames[r] }

const minTokenLength = 16

// Tokens are the clients that a node knows. Only digests of their tokens are kept.
type Tokens struct{ all []token }

type token struct {
	name   string
	role   Role
	digest [sha256.Size]byte
}

// find returns who has a token. Its time does not depend on which one it is, nor on how much of one is right.
func (t *Tokens) find(bearer string) (name string, role Role) {
	digest := sha256.Sum256([]byte(bearer))
	for _, k := range t.all {
		if subtle.ConstantTimeCompare(digest[:], k.digest[:]) == 1 {
			name, role = k.name, k.role
		}
	}
	return name, role
}

// LoadTokens reads a file of tokens:
//
//	tokens:
//	  - {name: grafana, role: view, token: 0b8c1f6e5d0a4f3c9e7d}
//
// A token has at least 16 printable characters of ASCII, without spaces. The error tells every problem, and no token.
func LoadTokens(file string) (*Tokens, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the admin tokens: %w", err)
	}
	t, err := parseTokens(data)
	if err != nil {
		return nil, fmt.Errorf("reading the admin tokens in %s: %w", file, err)
	}
	return t, nil
}

type tokensFile struct {
	Tokens []struct {
		Name  string `yaml:"name"`
		Role  string `yaml:"role"`
		Token string `yaml:"token"`
	} `yaml:"tokens"`
}

var lineOf = regexp.MustCompile(`line \d+`)

// formError names the lines only: whatever else a parser quotes may be a token.
func formError(err error) error {
	const form = "wants tokens: [{name: NAME, role: ROLE, token: TOKEN}]"
	var problems []error
	for _, line := range lineOf.FindAllString(err.Error(), -1) {
		problems = append(problems, errors.New(line+": "+form))
	}
	if len(problems) == 0 {
		return errors.New(form)
	}
	return errors.Join(problems...)
}

func parseTokens(data []byte) (*Tokens, error) {
	var f tokensFile
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&f); err != nil && !errors.Is(err, io.EOF) {
		return nil, formError(err)
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("one document is wanted")
	}
	if len(f.Tokens) == 0 {
		return nil, errors.New("it has no tokens, so nobody could ask this node anything")
	}
	return f.check()
}

func (f tokensFile) check() (*Tokens, error) {
	t := &Tokens{}
	var problems []error
	names := map[string]bool{}
	for i, k := range f.Tokens {
		bad := func(what string) { problems = append(problems, fmt.Errorf("tokens[%d]: %s", i, what)) }
		role := roleOf(k.Role)
		if role == open {
			bad("the role is not one of view, operate, admin")
		}
		if k.Name == "" || names[k.Name] {
			bad("the name is missing or used twice")
		}
		if len(k.Token) < minTokenLength || strings.ContainsFunc(k.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
			bad("the token wants at least 16 printable characters of ASCII, without spaces")
		}
		if _, other := t.find(k.Token); other != open {
			bad("another has the same token")
		}
		names[k.Name] = true
		t.all = append(t.all, token{k.Name, role, sha256.Sum256([]byte(k.Token))})
	}
	return t, errors.Join(problems...)
}

func roleOf(name string) Role {
	for r := RoleView; r <= RoleAdmin; r++ {
		if r.String() == name {
			return r
		}
	}
	return open
}
