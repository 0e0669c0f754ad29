package loop

import (
	"encoding/binary"
	"regexp"
	"regexp/syntax"
	"slices"

	"github.com/meshd/meshd/topology"
)

// topicLetters are those that a topic's name can have (org.apache.kafka.common.internals.Topic).
const topicLetters = "abcdefghijklmnopqrstuvwxyz0123456789._-ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// automaton is an expression that is followed letter by letter. Its states are found as they are needed, and kept.
type automaton struct {
	prog   *syntax.Prog
	states []state
	number map[string]int32
	marks  []bool // of places, while they are gathered
	looks  bool   // at what stands before a letter
}

// state is the set of places in the program (regexp/syntax) at which it can be behind a name.
type state struct {
	at     []uint32 // sorted
	before rune     // what the last letter is to \b and ^
	match  bool     // the name ends here
	next   []int32  // by letter; nil: not found yet
}

const (
	dead  = 0 // no name goes on from here
	begun = 1
)

// What can stand before a letter, as far as an expression asks.
const (
	nothing  rune = -1
	aWord    rune = 'a'
	aNonWord rune = '-'
)

func newAutomaton(expr string) (*automaton, error) {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil, err
	}
	prog, err := syntax.Compile(re.Simplify())
	if err != nil {
		return nil, err
	}
	m := &automaton{prog: prog, number: map[string]int32{}, marks: make([]bool, len(prog.Inst))}
	m.looks = slices.ContainsFunc(prog.Inst, func(i syntax.Inst) bool { return i.Op == syntax.InstEmptyWidth })
	m.numberOf(nil, aWord)
	m.numberOf([]uint32{uint32(prog.Start)}, nothing)
	return m, nil
}

// numberOf is the state of these places, a new one if it was never met.
func (m *automaton) numberOf(at []uint32, before rune) int32 {
	if len(at) == 0 || !m.looks {
		before = aWord
	}
	key := binary.AppendVarint(nil, int64(before))
	for _, pc := range at {
		key = binary.AppendUvarint(key, uint64(pc))
	}
	n, ok := m.number[string(key)]
	if !ok {
		n = int32(len(m.states))
		m.number[string(key)] = n
		s := state{at: at, before: before}
		s.match = slices.ContainsFunc(m.closure(s, nothing), func(pc uint32) bool { return m.prog.Inst[pc].Op == syntax.InstMatch })
		m.states = append(m.states, s)
	}
	return n
}

// follow gives the state behind each letter, and what it took to find that out.
func (m *automaton) follow(number int32) (next []int32, work int) {
	if s := &m.states[number]; s.next != nil {
		return s.next, 0
	}
	s := m.states[number]
	word, other := m.closure(s, aWord), m.closure(s, aNonWord)
	next = make([]int32, len(topicLetters))
	for i := range len(topicLetters) {
		letter, from, before := rune(topicLetters[i]), other, aNonWord
		if syntax.IsWordChar(letter) {
			from, before = word, aWord
		}
		next[i] = m.numberOf(m.behind(from, letter), before)
	}
	m.states[number].next = next
	return next, len(topicLetters) * (len(word) + len(other) + 1)
}

// behind is where the program can be when it has read a letter.
func (m *automaton) behind(from []uint32, letter rune) (out []uint32) {
	for _, pc := range from {
		if i := &m.prog.Inst[pc]; isRune(i.Op) && i.MatchRune(letter) && !m.marks[i.Out] {
			m.marks[i.Out] = true
			out = append(out, i.Out)
		}
	}
	m.unmark(out)
	slices.Sort(out)
	return out
}

func isRune(op syntax.InstOp) bool {
	return op == syntax.InstRune || op == syntax.InstRune1 || op == syntax.InstRuneAny || op == syntax.InstRuneAnyNotNL
}

// closure adds what can be reached without a letter, before one of a kind.
func (m *automaton) closure(s state, letter rune) []uint32 {
	flags := syntax.EmptyOpContext(s.before, letter)
	out := slices.Clone(s.at)
	for _, pc := range out {
		m.marks[pc] = true
	}
	add := func(pc uint32) {
		if !m.marks[pc] {
			m.marks[pc] = true
			out = append(out, pc)
		}
	}
	for k := 0; k < len(out); k++ {
		switch i := &m.prog.Inst[out[k]]; i.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			add(i.Out)
			add(i.Arg)
		case syntax.InstCapture, syntax.InstNop:
			add(i.Out)
		case syntax.InstEmptyWidth:
			if syntax.EmptyOp(i.Arg)&^flags == 0 {
				add(i.Out)
			}
		default:
		}
	}
	m.unmark(out)
	return out
}

func (m *automaton) unmark(places []uint32) {
	for _, pc := range places {
		m.marks[pc] = false
	}
}

// expressions are those by which a link tells names apart: what must match, and what else decides.
func expressions(l *topology.Link) (include, others []string) {
	for _, p := range l.Topics.Include {
		include = append(include, p.String())
	}
	others = append(others, internal(l.Settings.Separator))
	for _, p := range l.Topics.Exclude {
		others = append(others, p.String())
	}
	for _, r := range l.Topics.Rules {
		others = append(others, r.Match.String())
	}
	return include, others
}

// internal is topology.Internal as an expression.
func internal(separator string) string {
	sep := `\.`
	if separator != "" {
		sep = `(\.|` + regexp.QuoteMeta(separator) + `)`
	}
	return `meshd\..*|__.*|heartbeats|.*` + sep + `heartbeats|.*` + sep + `checkpoints` + sep + `internal|mm2.*` + sep + `internal`
}
