package wire

// Hold keeps requests back.
type Hold struct {
	network *Network
	match   func(Request) bool
	over    bool
	held    int
	lines   map[*line]int // that are held up, each with the answers that it had
}

// Hold keeps back the requests that match, each with what follows it in its connection, until it is released.
func (n *Network) Hold(match func(Request) bool) *Hold {
	n.mu.Lock()
	defer n.mu.Unlock()
	h := &Hold{network: n, match: match, lines: map[*line]int{}}
	n.holds = append(n.holds, h)
	return h
}

// Held is how many requests have been kept back.
func (h *Hold) Held() int {
	h.network.mu.Lock()
	defer h.network.mu.Unlock()
	return h.held
}

// Release lets go of what is held, and holds nothing any more.
func (h *Hold) Release() {
	h.network.mu.Lock()
	defer h.network.mu.Unlock()
	h.over = true
	for l := range h.lines {
		h.lines[l] = l.answers
	}
	h.network.changed.Broadcast()
}

// Drop is Release, but what was held never arrives, and its connections are gone.
func (h *Hold) Drop() {
	h.network.mu.Lock()
	defer h.network.mu.Unlock()
	h.over = true
	for l := range h.lines {
		l.close()
	}
	h.network.changed.Broadcast()
}

// Answered says whether something has come back in each connection that was held up, since the release.
func (h *Hold) Answered() bool {
	h.network.mu.Lock()
	defer h.network.mu.Unlock()
	for l, before := range h.lines {
		if l.answers == before {
			return false
		}
	}
	return h.over
}

// holding counts a request in the hold that it falls under, if any.
func (n *Network) holding(l *line, r Request) *Hold {
	for _, h := range n.holds {
		if !h.over && h.match(r) {
			h.held++
			h.lines[l] = 0
			return h
		}
	}
	return nil
}
