package loop

import (
	"encoding/binary"
	"slices"

	"github.com/meshd/meshd/topology"
)

const (
	maxTopic  = 249     // characters of a topic's name
	maxStates = 1 << 15 // that are told apart in one walk
	maxWork   = 1 << 25 // look-ups of what follows a letter; some tenths of a second
	workMatch = 100     // what it takes to match a name with a link's expressions, in these
	workPlace = 4       // and to follow an expression from one of its places
)

// names walks through the names by which links tell topics apart. Two names are of one kind if they are carried alike, whatever letters
// follow; of each kind it sees the shortest.
type names struct {
	known map[string]*automaton // by expression; nil: it can't be read
	left  int                   // work that may still be done
}

// walked is links whose names are walked through together.
type walked struct {
	all   []*automaton
	links []told
	count int // of links
	uses  int // of automata by them
}

// told is by what links tell names apart: numbers of automata.
type told struct {
	include, others []int
	links           int // that do it in this way
}

// prepare makes the automata of links; false: that is too much work.
func (n *names) prepare(links ...*topology.Link) (w walked, ok bool) {
	w.count = len(links)
	at := map[string]int{}
	for _, l := range links {
		include, others := expressions(l)
		t := told{links: 1}
		if t.include, ok = n.number(&w, at, include); ok {
			t.others, ok = n.number(&w, at, others)
		}
		if !ok {
			return w, false
		}
		same := func(o told) bool { return slices.Equal(o.include, t.include) && slices.Equal(o.others, t.others) }
		if i := slices.IndexFunc(w.links, same); i >= 0 {
			w.links[i].links++
			continue
		}
		w.links = append(w.links, t)
		w.uses += len(include) + len(others)
	}
	return w, true
}

// number returns the numbers of expressions, of which no two have the same automaton.
func (n *names) number(w *walked, at map[string]int, exprs []string) (out []int, ok bool) {
	for _, expr := range exprs {
		i, known := at[expr]
		if !known {
			m, ok := n.automaton(expr)
			if !ok {
				return nil, false
			}
			i = len(w.all)
			at[expr], w.all = i, append(w.all, m)
		}
		out = append(out, i)
	}
	return out, true
}

func (n *names) automaton(expr string) (*automaton, bool) {
	m, known := n.known[expr]
	if known {
		return m, m != nil
	}
	m, err := newAutomaton(expr)
	if err != nil {
		m = nil
	} else if n.left -= len(m.prog.Inst); n.left < 0 {
		return nil, false
	}
	if n.known == nil {
		n.known = map[string]*automaton{}
	}
	n.known[expr] = m
	return m, m != nil
}

// spelled is a name that a walk has come to.
type spelled struct {
	text string
	at   []int32 // states of the automata
}

// walk shows a name for each way in which the expressions match, the shorter ones first, until visit says false. Names that fewer links
// than are needed could still carry, whatever follows, are left out. The result says whether all that is to be seen was seen.
func (n *names) walk(w walked, need int, visit func(name string) bool) (all bool) {
	seen, matched := map[string]bool{}, map[string]bool{}
	next, rows, keep := make([]int32, len(w.all)), make([][]int32, len(w.all)), make([]bool, len(w.all))
	var key []byte
	for open := []spelled{{at: slices.Repeat([]int32{begun}, len(w.all))}}; len(open) > 0; open = open[1:] {
		at := open[0]
		if key = w.matches(key[:0], at.at); at.text != "" && !matched[string(key)] {
			matched[string(key)] = true
			if n.left -= workMatch * w.count; !visit(at.text) {
				return true
			}
		}
		if len(at.text) == maxTopic {
			continue
		}
		if !n.follow(w, at.at, rows) {
			return false
		}
		for i := range len(topicLetters) {
			for k, row := range rows {
				next[k] = row[i]
			}
			if w.forget(next, keep) < need {
				continue
			}
			if key = appendStates(key[:0], next); seen[string(key)] {
				continue
			}
			if len(seen) == maxStates {
				return false
			}
			seen[string(key)] = true
			open = append(open, spelled{at.text + topicLetters[i:i+1], slices.Clone(next)})
		}
	}
	return true
}

// follow finds what is behind each letter, for each automaton; false: that is too much work.
func (n *names) follow(w walked, at []int32, rows [][]int32) bool {
	for k, m := range w.all {
		row, places := m.follow(at[k])
		rows[k] = row
		n.left -= places * workPlace
	}
	n.left -= len(topicLetters) * (len(w.all) + w.uses)
	return n.left >= 0
}

// forget takes out what decides nothing any more: expressions of links none of whose includes can match now. It returns how many links
// can still carry what follows.
func (w walked) forget(at []int32, keep []bool) (links int) {
	clear(keep)
	for _, l := range w.links {
		if !slices.ContainsFunc(l.include, func(i int) bool { return at[i] != dead }) {
			continue
		}
		links += l.links
		for _, is := range [][]int{l.include, l.others} {
			for _, i := range is {
				keep[i] = true
			}
		}
	}
	for i := range at {
		if !keep[i] {
			at[i] = dead
		}
	}
	return links
}

// matches tells names apart by what matches them.
func (w walked) matches(key []byte, at []int32) []byte {
	for k, m := range w.all {
		b := byte(0)
		if m.states[at[k]].match {
			b = 1
		}
		key = append(key, b)
	}
	return key
}

func appendStates(key []byte, at []int32) []byte {
	for _, s := range at {
		key = binary.AppendUvarint(key, uint64(s))
	}
	return key
}
