package flow

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/meshd/meshd/kafka"
)

// heard is a teller and what it has logged since it was last asked.
type heard struct {
	teller
	out  bytes.Buffer
	gone map[place]bool
}

func newHeard() *heard {
	h := &heard{gone: map[place]bool{}}
	plain := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	h.teller = teller{log: slog.New(slog.NewTextHandler(&h.out, &slog.HandlerOptions{ReplaceAttr: plain})), told: map[place]kafka.Reason{}}
	return h
}

func (h *heard) look(now map[place]kafka.Reason) []string {
	h.teller.look(now, func(at place) bool { return !h.gone[at] })
	lines := strings.Split(strings.TrimSuffix(h.out.String(), "\n"), "\n")
	h.out.Reset()
	if lines[0] == "" {
		return nil
	}
	return lines
}

func at(n int) place { return place{kindPartition, "orders", int32(n), 0} }

func says(t *testing.T, lines []string, wants ...string) {
	t.Helper()
	if len(lines) != 1 {
		t.Fatalf("%d lines, want 1:\n%s", len(lines), strings.Join(lines, "\n"))
	}
	for _, w := range wants {
		if !strings.Contains(lines[0], w) {
			t.Errorf("it does not say %s: %s", w, lines[0])
		}
	}
}

func silent(t *testing.T, lines []string) {
	t.Helper()
	if len(lines) > 0 {
		t.Errorf("nothing new, but:\n%s", strings.Join(lines, "\n"))
	}
}

// Each change is said once: what stands still, another reason, and that it goes on.
func TestEachChangeIsToldOnce(t *testing.T) {
	h := newHeard()
	down := kafka.Because("source_unreachable", "dialing 127.0.0.1:40001: refused, try 1", "start it")
	again := kafka.Because("source_unreachable", "dialing 127.0.0.1:40002: refused, try 2", "start it")
	login := kafka.Because("login_refused", "no", "check the password")
	silent(t, h.look(map[place]kafka.Reason{at(3): down}))
	says(t, h.look(map[place]kafka.Reason{at(3): again}), "level=WARN", "topic=orders", "partition=3", "reason=source_unreachable", "try 2", `hint="start it"`)
	silent(t, h.look(map[place]kafka.Reason{at(3): down}))
	silent(t, h.look(map[place]kafka.Reason{at(3): login}))
	says(t, h.look(map[place]kafka.Reason{at(3): login}), "level=WARN", "reason=login_refused", "check the password")
	silent(t, h.look(nil))
	says(t, h.look(nil), "level=INFO", "goes on again", "topic=orders", "partition=3", "reason=login_refused")
	silent(t, h.look(nil))
}

// What comes and goes within a second is not told, nor that it went; what is away for a moment has not gone on.
func TestMomentsAreNotTold(t *testing.T) {
	h := newHeard()
	r := map[place]kafka.Reason{at(1): kafka.Because("record_too_large", "x", "y")}
	silent(t, slices.Concat(h.look(r), h.look(nil), h.look(r), h.look(nil), h.look(nil)))
	says(t, slices.Concat(h.look(r), h.look(r), h.look(nil), h.look(r), h.look(r)), "record_too_large")
}

// What went to another node has not gone on here.
func TestWhatIsGoneDoesNotGoOn(t *testing.T) {
	h := newHeard()
	r := map[place]kafka.Reason{at(1): kafka.Because("record_too_large", "x", "y")}
	says(t, slices.Concat(h.look(r), h.look(r)), "record_too_large")
	h.gone[at(1)] = true
	silent(t, slices.Concat(h.look(nil), h.look(nil)))
}

// Ten thousand partitions that stop for one reason are one line, and so is that they go on.
func TestManyAreSummedUp(t *testing.T) {
	h := newHeard()
	all := map[place]kafka.Reason{}
	for i := range 10_000 {
		topic := fmt.Sprintf("t%05d", i)
		all[place{kindPartition, topic, 0, 0}] = kafka.Because("permission_denied", "writing to "+topic, "allow "+topic)
	}
	h.look(all)
	says(t, h.look(all), "10000", "reason=permission_denied", "topic=t00000", `hint="allow t00000"`)
	h.look(nil)
	says(t, h.look(nil), "10000", "goes on again", "reason=permission_denied")
}
