package loop

import "slices"

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
