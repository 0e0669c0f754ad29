package demo

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/meshd/meshd/topology"
)

// large is a state with numbers as large as an hour brings them.
func large() state {
	s := state{group: progress{at: "eu", distinct: 1_234_567, again: 1_234}, total: 1_296_000}
	for i, a := range places {
		x := site{alias: a, lost: i == 0, written: 432_000, from: map[topology.Alias]stream{}}
		for n := 1; n <= 2; n++ {
			x.nodes = append(x.nodes, nodeState{name: fmt.Sprintf("%s-%d", a, n), alive: n == 1 && i > 0, copies: 8})
		}
		for _, o := range places {
			if o != a {
				x.from[o] = stream{parts: partitions, moving: partitions, arrived: 432_000, lag: int64(i*100_000) - 1}
			}
		}
		s.sites = append(s.sites, x)
	}
	return s
}

var escape = regexp.MustCompile("\x1b\\[[0-9;?]*[a-zA-Z]")

// A line that wraps could not be drawn over.
func TestPanelFitsATerminal(t *testing.T) {
	s := newScreen(&bytes.Buffer{}, true, time.Hour, Prefix)
	for _, l := range s.draw(large()) {
		if text := escape.ReplaceAllString(l, ""); len(text) > 79 {
			t.Errorf("%d columns: %s", len(text), text)
		}
	}
}

// What a terminal shows at the end is what was said, with the last panel below while it is open, and nothing of it when it is closed.
func TestPanelIsDrawnInItsPlace(t *testing.T) {
	var out bytes.Buffer
	s := newScreen(&out, true, time.Minute, Prefix)
	s.open()
	s.say("first")
	s.show(large())
	s.say("second")
	s.show(large())
	rows := len(s.panel)
	if got := terminal(out.String()); len(got) != 2+rows || !strings.Contains(got[1], "second") {
		t.Errorf("%d rows, want 2 and a panel of %d:\n%s", len(got), rows, strings.Join(got, "\n"))
	}
	s.close()
	if got := terminal(out.String()); len(got) != 2 {
		t.Errorf("a panel is left:\n%s", strings.Join(got, "\n"))
	}
	if !strings.HasSuffix(out.String(), showCursor) {
		t.Error("the cursor is left hidden")
	}
}

// terminal is a dumb model of one that is large enough: it knows newline, cursor up and erase below.
func terminal(out string) []string {
	var rows []string
	row := ""
	for len(out) > 0 {
		if at := escape.FindStringIndex(out); at != nil && at[0] == 0 {
			code := out[:at[1]]
			out = out[at[1]:]
			var up int
			if n, _ := fmt.Sscanf(code, "\x1b[%dA", &up); n == 1 && strings.HasSuffix(code, "A") {
				rows = rows[:len(rows)-up]
			}
			continue
		}
		switch out[0] {
		case '\n':
			rows, row = append(rows, row), ""
		case '\r':
			row = ""
		default:
			row += out[:1]
		}
		out = out[1:]
	}
	return rows
}

func TestNoEscapesWithoutATerminal(t *testing.T) {
	var out bytes.Buffer
	s := newScreen(&out, false, time.Minute, Prefix)
	s.open()
	s.chapter("title", "text")
	s.say("event")
	s.show(large())
	s.close()
	if escape.MatchString(out.String()) || strings.Count(out.String(), "\n") != 5 {
		t.Errorf("%q", out.String())
	}
}

type broken struct{ writes int }

func (b *broken) Write([]byte) (int, error) {
	b.writes++
	return 0, errors.New("broken pipe")
}

// The first error of a writer is kept, and nothing more is written to it.
func TestBrokenPipe(t *testing.T) {
	b := &broken{}
	s := newScreen(b, false, time.Minute, Prefix)
	s.say("one")
	s.say("two")
	if s.err == nil || b.writes != 1 {
		t.Errorf("%v after %d writes", s.err, b.writes)
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1234: "-1,234", -123: "-123"} {
		if got := count(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
}
