package topology

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

var (
	yamlLine = regexp.MustCompile(`^line (\d+): `)
	// Errors of yaml.v3's parser, unlike those of its scanner, count lines from 0 (its parser.fail).
	fromZero = regexp.MustCompile(`^did not find expected (<|node content|key|'-'|',')`)
	// A list that begins with a star, out of quotes, is taken for an alias.
	noAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)
)

// syntax notes what the YAML parser could not read. It knows the line at best.
func (p *parser) syntax(err error, data []byte) {
	msg, line := strings.TrimPrefix(err.Error(), "yaml: "), 1
	if m := yamlLine.FindStringSubmatch(msg); m != nil {
		line, _ = strconv.Atoi(m[1])
		msg = strings.TrimPrefix(msg, m[0])
	}
	if fromZero.MatchString(msg) {
		line++
	}
	hint := ""
	switch {
	case strings.Contains(msg, "cannot start any token"):
		hint = "YAML is indented by spaces, not by tabs, and text that begins with @ % or ` goes in quotes"
	case strings.Contains(msg, "alphabetic or numeric character"):
		hint = "text that begins with * or & goes in quotes"
	case noAnchor.MatchString(msg):
		before, _, _ := bytes.Cut(data, []byte("*"+noAnchor.FindStringSubmatch(msg)[1]))
		line = 1 + bytes.Count(before, []byte("\n"))
		hint = "text that begins with * goes in quotes"
	}
	p.bad(value{&yaml.Node{Line: line, Column: 1}, ""}, "not YAML: %s", short(msg)).Hint = hint
}
