package topology

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// rule says what is wrong with a text; "" is nothing.
type rule func(string) string

func text(key, kind string, at *string, check rule) field {
	return field{key: key, kind: kind, read: func(p *parser, v value) {
		p.checked(v, at, check)
	}}
}

func (p *parser) checked(v value, at *string, check rule) {
	s, ok := p.text(v)
	if !ok {
		return
	}
	if msg := check(s); msg != "" {
		p.bad(v, "%s", msg)
		return
	}
	*at = s
}

func textList(key, def string, at *[]string, check rule) field {
	return field{key: key, kind: "list of names", def: def, read: func(p *parser, v value) { *at = p.texts(v, check) }}
}

// texts reads a list of texts in which nothing may stand twice.
func (p *parser) texts(v value, check rule) []string {
	out, seen := []string{}, map[string]bool{}
	for _, item := range p.items(v) {
		var s string
		p.checked(item, &s, check)
		switch {
		case s == "":
		case seen[s]:
			p.bad(item, "%q is in the list twice", s)
		default:
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

func boolean(key, def string, at *bool) field {
	return field{key: key, kind: "true or false", def: def, read: func(p *parser, v value) {
		b, err := strconv.ParseBool(v.node.Value)
		if v.node.Kind != yaml.ScalarNode || v.node.ShortTag() != "!!bool" || err != nil {
			p.bad(v, "wants true or false, not %s", describe(v.node))
			return
		}
		*at = b
	}}
}

// oneOf is one of a few words. Those of later belong to a function that isn't there yet.
func oneOf[T ~string](key, def string, at *T, now []string, later ...string) field {
	return field{key: key, kind: orList(now), def: def, read: func(p *parser, v value) {
		word := v.node.Value
		if v.node.Kind == yaml.MappingNode && len(v.node.Content) > 0 {
			word = v.node.Content[0].Value // on_delete: {delete_after: 7d}
		}
		switch {
		case slices.Contains(later, word):
			p.notYet(v, now)
		case v.node.Kind == yaml.ScalarNode && slices.Contains(now, word):
			*at = T(word)
		default:
			p.bad(v, "wants %s, not %s", orList(now), describe(v.node)).Hint = didYouMean(word, now)
		}
	}}
}

func orList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

func integer[T int | int64](key, kind, def string, at *T, lo, hi T) field {
	return field{key: key, kind: kind, def: def, read: func(p *parser, v value) {
		p.integer(v, kind, int64(lo), int64(hi), func(n int64) { *at = T(n) })
	}}
}

func (p *parser) integer(v value, kind string, lo, hi int64, set func(int64)) {
	n, err := strconv.ParseInt(v.node.Value, 10, 64)
	switch {
	case v.node.Kind != yaml.ScalarNode || v.node.ShortTag() != "!!int" || err != nil:
		p.bad(v, "wants %s, not %s", kind, describe(v.node))
	case n < lo:
		p.bad(v, "%d is too low: %d is the least", n, lo)
	case n > hi:
		p.bad(v, "%d is too high: %d is the most", n, hi)
	default:
		set(n)
	}
}

// intOr is a whole number from 1, or one of a few words that stand for a number.
func intOr(key, def string, at *int, words map[string]int) field {
	names := make([]string, 0, len(words))
	for w := range words {
		names = append(names, w)
	}
	slices.Sort(names)
	kind := orList(append(names, "a whole number from 1"))
	return field{key: key, kind: kind, def: def, read: func(p *parser, v value) {
		if n, ok := words[v.node.Value]; ok && v.node.Kind == yaml.ScalarNode {
			*at = n
			return
		}
		p.integer(v, kind, 1, math.MaxInt16, func(n int64) { *at = int(n) })
	}}
}

const (
	minDuration = 10 * time.Millisecond
	maxDuration = 7 * 24 * time.Hour
)

func duration(key, def string, at *time.Duration) field {
	return field{key: key, kind: "duration", def: def, read: func(p *parser, v value) {
		d, err := time.ParseDuration(v.node.Value)
		switch {
		case v.node.Kind != yaml.ScalarNode || v.node.ShortTag() != "!!str" || err != nil:
			p.bad(v, "wants a duration, not %s", describe(v.node)).Hint = "a number and its unit: 250ms, 10s, 5m, 6h"
		case d < minDuration || d > maxDuration:
			p.bad(v, "%s is out of range", v.node.Value).Hint = "from 10ms to 168h"
		default:
			*at = d
		}
	}}
}

// start reads where a flow without progress begins.
func start(key, def string, at *Start) field {
	const kind = "earliest, latest or a time (RFC 3339)"
	return field{key: key, kind: kind, def: def, read: func(p *parser, v value) {
		when, err := time.Parse(time.RFC3339, v.node.Value)
		switch {
		case v.node.Kind != yaml.ScalarNode:
			p.bad(v, "wants %s, not %s", kind, describe(v.node))
		case v.node.Value == "earliest":
			*at = Start{}
		case v.node.Value == "latest":
			*at = Start{Latest: true}
		case err != nil:
			p.bad(v, "wants %s, not %s", kind, describe(v.node)).Hint = "a time looks like 2026-11-22T08:00:00Z"
		case when.Before(time.Unix(0, 0)):
			p.bad(v, "%s is before 1970", v.node.Value)
		default:
			*at = Start{Time: when.UTC()}
		}
	}}
}
