package topology

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
)

const (
	maxPatternLength = 1000    // characters of one expression
	maxPatternCost   = 1 << 20 // of all expressions of a topology, as cost counts; some 50 MB once compiled
)

// Pattern is a RE2 expression that matches whole names. The zero Pattern matches nothing.
type Pattern struct {
	source string
	re     *regexp.Regexp
}

// NewPattern compiles an expression; the error says what is wrong with it and where.
func NewPattern(expr string) (Pattern, error) {
	if _, err := parsePattern(expr); err != nil {
		return Pattern{}, err
	}
	// What was parsed by itself can't break out of the group.
	re, err := regexp.Compile(`\A(?:` + expr + `)\z`)
	if err != nil {
		return Pattern{}, fmt.Errorf("compiling expression: %w", err)
	}
	return Pattern{source: expr, re: re}, nil
}

// Match says whether the expression matches the whole name.
func (p Pattern) Match(name string) bool { return p.re != nil && p.re.MatchString(name) }

// String returns the expression as it was written.
func (p Pattern) String() string { return p.source }

func matchAny(ps []Pattern, name string) bool {
	for _, p := range ps {
		if p.Match(name) {
			return true
		}
	}
	return false
}

func parsePattern(expr string) (*syntax.Regexp, error) {
	if len(expr) > maxPatternLength {
		return nil, fmt.Errorf("the expression is longer than %d characters", maxPatternLength)
	}
	re, err := syntax.Parse(expr, syntax.Perl)
	if bad, ok := errors.AsType[*syntax.Error](err); ok {
		return nil, fmt.Errorf("the expression has an error at %q: %s", bad.Expr, bad.Code)
	}
	return re, err
}

// cost is about the number of instructions and of ranges of characters that the expression compiles to. It is known before it is
// compiled: x{1000} is seven characters, and a thousand instructions.
func cost(re *syntax.Regexp) int {
	sum := 1 + len(re.Rune)
	for _, sub := range re.Sub {
		sum += cost(sub)
	}
	if re.Op == syntax.OpRepeat {
		sum *= max(1, re.Min, re.Max)
	}
	return sum
}
