package sim

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
)

var (
	seeds = flag.Int("seeds", 300, "how many seeds, one after the other")
	first = flag.Uint64("seed", 1, "the first of them")
	steps = flag.Int("steps", 400, "steps of a run")
)

// TestSeeds runs seeds, each of them twice.
func TestSeeds(t *testing.T) {
	var all tally
	may := [kinds]int{}
	for seed := *first; seed < *first+uint64(*seeds); seed++ {
		s, wrong := run(seed, *steps, nil, "")
		if wrong != "" {
			t.Fatal(report(seed, s.steps, wrong, ""))
		}
		again, _ := run(seed, *steps, nil, "")
		if !slices.Equal(s.trace, again.trace) {
			t.Fatalf("seed %d: another run\n%s", seed, firstDifference(s.trace, again.trace))
		}
		all.add(s.tally)
		for k, yes := range s.happened {
			if yes {
				may[k]++
			}
		}
	}
	t.Logf("%d seeds: %+v", *seeds, all)
	for k, n := range may {
		t.Logf("%-12s in %d runs", kindNames[k], n)
		if *seeds >= 100 && n == 0 {
			t.Errorf("%s never happened", kindNames[k])
		}
	}
}

func (a *tally) add(b tally) {
	a.records, a.delivered, a.switches, a.gaps = a.records+b.records, a.delivered+b.delivered, a.switches+b.switches, a.gaps+b.gaps
	a.zombie, a.stops, a.opens, a.redone = a.zombie+b.zombie, a.stops+b.stops, a.opens+b.opens, a.redone+b.redone
}

func firstDifference(a, b []string) string {
	for i := range a {
		if i >= len(b) || a[i] != b[i] {
			return fmt.Sprintf("%s\n%s", a[i], strings.Join(b[min(i, len(b)):min(i+1, len(b))], ""))
		}
	}
	return "the second goes on"
}

// report makes a failure short, and tells it.
func report(seed uint64, steps int, wrong string, taken rule) string {
	n, left := shrink(seed, steps, wrong, taken)
	s, wrong := run(seed, n, left, taken)
	return fmt.Sprintf("seed %d, the first %d steps, %d of them left out: %s\n%s\n%s\n(go test ./test/sim -seed %d -seeds 1 -steps %d)",
		seed, n, len(left), wrong, s.plan, strings.Join(s.trace, "\n"), seed, n)
}

// shrink looks for the shortest prefix that fails in the same way, and then leaves out of it what is not needed.
func shrink(seed uint64, steps int, wrong string, taken rule) (n int, left []int) {
	fails := func(n int, left []int) bool {
		_, w := run(seed, n, left, taken)
		return w != "" && kindOf(w) == kindOf(wrong)
	}
	n = steps
	for chunk := n / 2; chunk > 0; {
		if fails(n-chunk, nil) {
			n -= chunk
		} else {
			chunk /= 2
		}
	}
	for chunk := max(1, n/4); ; chunk /= 2 {
		for i := 0; i < n; i += chunk {
			more := slices.Clone(left)
			for k := i; k < min(n, i+chunk); k++ {
				if !slices.Contains(more, k) {
					more = append(more, k)
				}
			}
			if len(more) > len(left) && fails(n, more) {
				left = more
			}
		}
		if chunk == 1 {
			return n, left
		}
	}
}

// kindOf is what a fault begins with.
func kindOf(wrong string) string { return strings.Fields(wrong + " ?")[0] }

// TestReport has a failure made short: it names its seed, and fewer steps do.
func TestReport(t *testing.T) {
	s, wrong := run(1, *steps, nil, progressFrontierLost)
	n, left := shrink(1, s.steps, wrong, progressFrontierLost)
	if _, again := run(1, n, left, progressFrontierLost); kindOf(again) != kindOf(wrong) || n-len(left) > 20 {
		t.Errorf("%d steps, %d of them left out: %q, of %q", n, len(left), again, wrong)
	}
	if text := report(1, s.steps, wrong, progressFrontierLost); !strings.HasPrefix(text, "seed 1, ") || !strings.Contains(text, "twice") {
		t.Error(text)
	}
}
