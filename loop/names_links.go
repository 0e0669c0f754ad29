package loop

import (
	"encoding/binary"
	"slices"

	"github.com/meshd/meshd/topology"
)

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
