package demo

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// screen shows what happens: on a terminal as text that scrolls over a panel that is drawn anew in its place, elsewhere as lines.
// It is safe for concurrent use.
type screen struct {
	out   io.Writer
	live  bool // a terminal, with ANSI escapes
	began time.Time
	total time.Duration // that the demo takes, about
	kept  string        // what is said of the copies

	mu    sync.Mutex
	panel []string
	last  int // records written, at the time at
	at    time.Time
	rate  float64 // of writing, a second
	err   error
}

func newScreen(out io.Writer, live bool, total time.Duration, naming Naming) *screen {
	s := &screen{out: out, live: live, began: time.Now(), total: total, kept: "not sent on"}
	if naming == Identity {
		s.kept = "not sent back" // but on, where a line is cut
	}
	return s
}

// ANSI escapes: ECMA-48.
const (
	bold, red, green, dim, plain = "\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[2m", "\x1b[0m"
	eraseBelow                   = "\x1b[J"
	hideCursor, showCursor       = "\x1b[?25l", "\x1b[?25h"
)

func (s *screen) paint(how, text string) string {
	if !s.live {
		return text
	}
	return how + text + plain
}

// chapter begins a part of the story.
func (s *screen) chapter(title string, lines ...string) {
	var text strings.Builder
	text.WriteString("\n" + s.paint(bold, title) + "\n")
	for _, l := range lines {
		text.WriteString("  " + l + "\n")
	}
	s.print(text.String())
}

// say tells an event.
func (s *screen) say(format string, args ...any) {
	s.print(fmt.Sprintf("[%s] %s\n", s.clock(), fmt.Sprintf(format, args...)))
}

func (s *screen) clock() string { return fmt.Sprintf("%3.0fs", time.Since(s.began).Seconds()) }

// show updates what is shown of a state.
func (s *screen) show(x state) {
	s.mu.Lock()
	s.measure(x)
	s.mu.Unlock()
	if !s.live {
		s.print(s.line(x))
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var b bytes.Buffer
	s.erase(&b)
	s.panel = s.draw(x)
	s.put(&b)
	s.flush(&b)
}

// measure takes the rate from one state to the next, somewhat smoothed.
func (s *screen) measure(x state) {
	now := time.Now()
	if !s.at.IsZero() {
		rate := float64(x.total-s.last) / now.Sub(s.at).Seconds()
		if s.rate == 0 {
			s.rate = rate
		}
		s.rate = 0.7*s.rate + 0.3*rate
	}
	s.last, s.at = x.total, now
}

func (s *screen) print(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b bytes.Buffer
	s.erase(&b)
	b.WriteString(text)
	s.put(&b)
	s.flush(&b)
}

// erase goes up over the panel and clears from there.
func (s *screen) erase(b *bytes.Buffer) {
	if len(s.panel) > 0 {
		fmt.Fprintf(b, "\x1b[%dA\r%s", len(s.panel), eraseBelow)
	}
}

func (s *screen) put(b *bytes.Buffer) {
	for _, l := range s.panel {
		b.WriteString(l + "\n")
	}
}

// flush writes at once, so that nothing flickers. The first error is kept: nobody looks any more.
func (s *screen) flush(b *bytes.Buffer) {
	if s.err == nil {
		_, s.err = s.out.Write(b.Bytes())
	}
}

// open and close frame the panel's life.
func (s *screen) open() {
	if s.live {
		s.print(hideCursor)
	}
}

func (s *screen) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b bytes.Buffer
	s.erase(&b)
	s.panel = nil
	if s.live {
		b.WriteString(showCursor)
	}
	s.flush(&b)
}

// count writes a number for people.
func count[N int | int64](n N) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-len(text)))
}
