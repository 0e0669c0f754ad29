package loop

import (
	"encoding/binary"
	"regexp"
	"regexp/syntax"
	"slices"

	"github.com/meshd/meshd/topology"
)

const (
	// topicLetters are those that a topic's name can have (org.apache.kafka.common.internals.Topic).
	topicLetters = "abcdefghijklmnopqrstuvwxyz0123456789._-ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	maxTopic     = 249
	maxStates    = 4000
)

// Overlap looks for a topic that both links carry with settings for which bad is true, and returns the shortest such name. sure is false
// where the expressions are too many to tell; a name that is found is one.
func Overlap(a, b *topology.Link, bad func(a, b topology.LinkSettings) bool) (name string, found, sure bool) {
	all, err := automata(a, b)
	if err != nil {
		return "", false, false
	}
	seen := map[string]bool{}
	for open := []step{begun(all)}; len(open) > 0; open = open[1:] {
		at := open[0]
		if sa, ok := a.Topic(at.name); ok && at.name != "" {
			if sb, ok := b.Topic(at.name); ok && bad(sa, sb) {
				return at.name, true, true
			}
		}
		if len(at.name) == maxTopic {
			continue
		}
		for i := range len(topicLetters) {
			next := at.next(all, topicLetters[i])
			if k := next.key(); !seen[k] {
				if len(seen) == maxStates {
					return "", false, false
				}
				seen[k] = true
				open = append(open, next)
			}
		}
	}
	return "", false, true
}

// automata are those of all expressions by which the links tell names apart.
func automata(links ...*topology.Link) (all []automaton, err error) {
	for _, l := range links {
		exprs := []string{internal(l.Settings.Separator)}
		for _, p := range slices.Concat(l.Topics.Include, l.Topics.Exclude) {
			exprs = append(exprs, p.String())
		}
		for _, r := range l.Topics.Rules {
			exprs = append(exprs, r.Match.String())
		}
		for _, expr := range exprs {
			m, err := newAutomaton(expr)
			if err != nil {
				return nil, err
			}
			all = append(all, m)
		}
	}
	return all, nil
}

// internal is topology.Internal as an expression.
func internal(separator string) string {
	sep := `(\.|` + regexp.QuoteMeta(separator) + `)`
	return `meshd\..*|__.*|heartbeats|.*` + sep + `heartbeats|.*` + sep + `checkpoints` + sep + `internal|mm2.*` + sep + `internal`
}

// automaton is an expression as a set of places in its program (regexp/syntax), all of which are followed at once.
type automaton struct{ prog *syntax.Prog }

func newAutomaton(expr string) (automaton, error) {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return automaton{}, err
	}
	prog, err := syntax.Compile(re.Simplify())
	return automaton{prog}, err
}

// step is a name and where each automaton is behind it.
type step struct {
	name string
	at   [][]uint32 // nil: no match any more
	word bool       // the last letter is one, as far as \b asks
}

func begun(all []automaton) step {
	s := step{at: make([][]uint32, len(all))}
	for i, m := range all {
		s.at[i] = []uint32{uint32(m.prog.Start)}
	}
	return s
}

func (s step) next(all []automaton, letter byte) step {
	before := rune(-1)
	if s.name != "" {
		before = rune(s.name[len(s.name)-1])
	}
	out := step{name: s.name + string(letter), at: make([][]uint32, len(all))}
	for i, m := range all {
		out.at[i] = m.follow(s.at[i], before, rune(letter))
	}
	out.word = syntax.IsWordChar(rune(letter))
	return out
}

// key tells states apart: two names with one key are carried alike, whatever follows.
func (s step) key() string {
	b := []byte{0}
	if s.word {
		b[0] = 1
	}
	for _, at := range s.at {
		for _, pc := range at {
			b = binary.AppendUvarint(b, uint64(pc)+1)
		}
		b = append(b, 0)
	}
	return string(b)
}

// follow is where the program can be behind one more letter.
func (m automaton) follow(at []uint32, before, letter rune) (out []uint32) {
	flags := syntax.EmptyOpContext(before, letter)
	for _, pc := range m.closure(at, flags) {
		if i := &m.prog.Inst[pc]; isRune(i.Op) && i.MatchRune(letter) && !slices.Contains(out, i.Out) {
			out = append(out, i.Out)
		}
	}
	slices.Sort(out)
	return out
}

func isRune(op syntax.InstOp) bool {
	return op == syntax.InstRune || op == syntax.InstRune1 || op == syntax.InstRuneAny || op == syntax.InstRuneAnyNotNL
}

// closure adds what can be reached without a letter.
func (m automaton) closure(at []uint32, flags syntax.EmptyOp) []uint32 {
	out := slices.Clone(at)
	for k := 0; k < len(out); k++ {
		i := &m.prog.Inst[out[k]]
		var more []uint32
		switch i.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			more = []uint32{i.Out, i.Arg}
		case syntax.InstCapture, syntax.InstNop:
			more = []uint32{i.Out}
		case syntax.InstEmptyWidth:
			if syntax.EmptyOp(i.Arg)&^flags == 0 {
				more = []uint32{i.Out}
			}
		default:
		}
		for _, pc := range more {
			if !slices.Contains(out, pc) {
				out = append(out, pc)
			}
		}
	}
	return out
}
