package validate

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestRepeats(t *testing.T) {
	for log, want := range map[string][]int64{
		"": nil, "abc": nil, "aa": {1}, "abcab": {3, 4}, "abaaca": {2, 3, 5}, "abcdefga": {7},
	} {
		for _, rounds := range []uint64{1, 2, 7} {
			var p Partition
			again, err := repeats(rounds, &p, func(uint64) stream { return streamOf(letters(log)) })
			if err != nil || !slices.Equal(slices.Sorted(maps.Keys(again)), want) {
				t.Errorf("%q in %d rounds: %v, %v", log, rounds, again, err)
			}
			if p.Counts != (Counts{Looped: int64(len(want))}) || p.DestinationRecords != int64(len(log)) || p.SourceRecords != int64(len(log)-len(want)) {
				t.Errorf("%q in %d rounds: %+v", log, rounds, p)
			}
		}
	}
}

// However often the log is read, the same is found.
func TestRepeatsInRounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := rapid.StringOfN(rapid.RuneFrom([]rune("abcdefgh")), 0, 30, -1).Draw(t, "log")
		rounds := rapid.Uint64Range(1, 5).Draw(t, "rounds")
		seen, want := map[rune]bool{}, map[int64]bool{}
		for i, r := range log {
			if seen[r] {
				want[int64(i)] = true
			}
			seen[r] = true
		}
		var p Partition
		again, err := repeats(rounds, &p, func(uint64) stream { return streamOf(letters(log)) })
		if err != nil || !maps.Equal(again, want) {
			t.Fatalf("%v, %v; want %v", again, err, want)
		}
	})
}

func TestRepeatsReportsReadErrors(t *testing.T) {
	broken := errors.New("broken")
	var p Partition
	_, err := repeats(1, &p, func(uint64) stream { return func() (entry, bool, error) { return entry{}, false, broken } })
	if !errors.Is(err, broken) {
		t.Error(err)
	}
}
