package main

import (
	"strings"
	"testing"
)

func TestAges(t *testing.T) {
	tests := []struct {
		seconds float64
		want    string
	}{
		{0, "0s"}, {0.2, "0.2s"}, {0.04, "0s"}, {9.96, "10s"}, {12.4, "12s"}, {60, "1m0s"}, {200, "3m20s"}, {3600, "1h0m"}, {94_210, "26h10m"},
	}
	for _, tc := range tests {
		if got := ageOr(&tc.seconds, unknown); got != tc.want {
			t.Errorf("%v s is %s, want %s", tc.seconds, got, tc.want)
		}
	}
	if got := ageOr(nil, unknown); got != unknown {
		t.Errorf("nothing is %s", got)
	}
}

func TestNumbers(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 7: "7", 999: "999", 1000: "1,000", 12_345: "12,345", 1_234_567: "1,234,567", -1: "-1", -999: "-999", -1000: "-1,000",
		1<<63 - 1: "9,223,372,036,854,775,807",
	} {
		if got := number(n); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
}

func TestSizes(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1 KiB", 1536: "1.5 KiB", 5_000_000: "4.8 MiB", 1 << 40: "1 TiB", 1<<63 - 1: "8192 PiB"} {
		if got := size(n); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
}

func TestATerminalIsNotCommanded(t *testing.T) {
	tab := newTable("GROUP", "STATE")
	tab.add([]string{"evil\x1b[2J\n\ttwo\u202e", "synced"}, "note\x1b]0;title\x07", "")
	tab.add([]string{"Ünïcode", "active"})
	var b strings.Builder
	if err := tab.print(&b); err != nil {
		t.Fatal(err)
	}
	const want = "GROUP           STATE\nevil?[2J??two?  synced\n    note?]0;title?\nÜnïcode         active\n"
	if got := b.String(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}
