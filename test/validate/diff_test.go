package validate

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Sequences are written as letters: each is a record like no other.
func letters(s string) []entry {
	var entries []entry
	for i, r := range s {
		n := uint64(r)*1_000_003 + 17
		entries = append(entries, entry{offset: int64(i), print: fingerprint{key: n, value: n * 31, headers: n * 77, timestamp: int64(n)}})
	}
	return entries
}

func streamOf(entries []entry) stream {
	return func() (entry, bool, error) {
		if len(entries) == 0 {
			return entry{}, false, nil
		}
		e := entries[0]
		entries = entries[1:]
		return e, true, nil
	}
}

func compare(t interface{ Fatal(...any) }, ahead int, source, destination []entry) Partition {
	var p Partition
	d := newDiffer(streamOf(source), streamOf(destination), &p)
	d.lookahead = ahead
	if err := d.run(); err != nil {
		t.Fatal(err)
	}
	d.conclude()
	return p
}

func TestDiff(t *testing.T) {
	tests := []struct {
		source, destination string
		want                Counts
	}{
		{"", "", Counts{}},
		{"abc", "abc", Counts{}},
		{"aaa", "aaa", Counts{}},
		{"abcde", "bcde", Counts{Lost: 1}},
		{"abcde", "abde", Counts{Lost: 1}},
		{"abcde", "abcd", Counts{Lost: 1}},
		{"abcde", "", Counts{Lost: 5}},
		{"aaaa", "aaa", Counts{Lost: 1}},
		{"", "abc", Counts{Unexpected: 3}},
		{"abc", "xabc", Counts{Unexpected: 1}},
		{"abc", "abcx", Counts{Unexpected: 1}},
		{"abc", "aabc", Counts{Duplicated: 1}},
		{"abc", "abca", Counts{Duplicated: 1}},
		{"abc", "abcabc", Counts{Duplicated: 3}},
		{"abcdef", "abcabcdef", Counts{Duplicated: 3}},
		{"aaa", "aaaa", Counts{Duplicated: 1}},
		{"abcd", "acbd", Counts{OutOfOrder: 1}},
		{"abcdef", "bcdefa", Counts{OutOfOrder: 1}},
		{"abcdef", "fabcde", Counts{OutOfOrder: 1}},
		{"abcdefgh", "efghabcd", Counts{OutOfOrder: 4}},
		{"abcd", "axcd", Counts{Lost: 1, Unexpected: 1}},
		{"abcdefgh", "abdeefgx", Counts{Lost: 2, Duplicated: 1, Unexpected: 1}},
	}
	for _, test := range tests {
		t.Run(test.source+" to "+test.destination, func(t *testing.T) {
			got := compare(t, lookahead, letters(test.source), letters(test.destination))
			if got.Counts != test.want {
				t.Errorf("got %s, want %s\n%v", got.Counts, test.want, got.Examples)
			}
			if got.SourceRecords != int64(len(test.source)) || got.DestinationRecords != int64(len(test.destination)) {
				t.Errorf("compared %d with %d records", got.SourceRecords, got.DestinationRecords)
			}
		})
	}
}

func TestDiffNamesWhatDiffers(t *testing.T) {
	source := letters("abcd")
	tests := map[string]func(f *fingerprint){
		"key: null":                   func(f *fingerprint) { f.key = null },
		"value: empty":                func(f *fingerprint) { f.value = empty },
		"headers: 0000000000000007":   func(f *fingerprint) { f.headers = 7 },
		"timestamp: 9":                func(f *fingerprint) { f.timestamp = 9 },
		"key: null, not 0000000005d7": func(f *fingerprint) { f.key, f.headers, f.timestamp = null, 3, 4 }, // the value still tells
	}
	for want, change := range tests {
		destination := slices.Clone(source)
		change(&destination[1].print)
		got := compare(t, lookahead, source, destination)
		if (got.Counts != Counts{Different: 1}) || !strings.HasPrefix(got.Examples[0].Detail, want) {
			t.Errorf("want %q, got %s: %v", want, got.Counts, got.Examples)
		}
	}
}

// A run of losses, or duplicates, that is longer than the lookahead is still counted, if not as well described.
func TestDiffBeyondTheLookahead(t *testing.T) {
	var all []entry
	for i := range 200 {
		all = append(all, letters(string(rune('a' + i)))[0])
	}
	lossy := compare(t, 8, all, slices.Concat(all[:50], all[150:]))
	if lossy.Counts[Lost] != 100 || lossy.Counts.OK() {
		t.Errorf("lost: %s", lossy.Counts)
	}
	twice := compare(t, 8, all, slices.Concat(all[:100], all))
	if twice.Counts[Duplicated] != 100 {
		t.Errorf("duplicated: %s", twice.Counts)
	}
}

func TestDiffReportsReadErrors(t *testing.T) {
	broken := func() (entry, bool, error) { return entry{}, false, errors.New("gone") }
	var p Partition
	for _, d := range []*differ{newDiffer(broken, streamOf(nil), &p), newDiffer(streamOf(nil), broken, &p)} {
		if err := d.run(); err == nil {
			t.Error("an error was lost")
		}
	}
}

// Against a dumb model, with records that repeat, and with lookaheads that are too short: no problem if and only if the sequences
// are equal, and what is lost and what is too many are what remains when one bag is taken from the other.
func TestDiffAgainstBags(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		alphabet := rapid.SampledFrom([]string{"ab", "abcdefgh", "abcdefghijklmnopqrstuvwxyz"}).Draw(t, "alphabet")
		word := rapid.StringOfN(rapid.RuneFrom([]rune(alphabet)), 0, 40, -1)
		source := word.Draw(t, "source")
		destination := rapid.OneOf(word, mutated(source)).Draw(t, "destination")
		ahead := rapid.SampledFrom([]int{1, 2, 5, lookahead}).Draw(t, "lookahead")

		got := compare(t, ahead, letters(source), letters(destination)).Counts
		if got.OK() != (source == destination) {
			t.Fatalf("verdict: %s", got)
		}
		if want := without(source, destination); got[Lost] != want {
			t.Fatalf("lost %d: %s", want, got)
		}
		if want := without(destination, source); got[Duplicated]+got[Unexpected] != want {
			t.Fatalf("too many %d: %s", want, got)
		}
	})
}

// mutated changes a word a little.
func mutated(word string) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		letters := []byte(word)
		for range rapid.IntRange(0, 4).Draw(t, "changes") {
			if len(letters) == 0 {
				break
			}
			i := rapid.IntRange(0, len(letters)-1).Draw(t, "at")
			j := rapid.IntRange(0, len(letters)-1).Draw(t, "to")
			switch rapid.IntRange(0, 2).Draw(t, "how") {
			case 0:
				letters = slices.Delete(letters, i, i+1)
			case 1:
				letters = slices.Insert(letters, j, letters[i])
			case 2:
				letters[i], letters[j] = letters[j], letters[i]
			}
		}
		return string(letters)
	})
}

// without counts the letters of a that b has fewer of.
func without(a, b string) int64 {
	var n int64
	for _, r := range "abcdefghijklmnopqrstuvwxyz" {
		n += int64(max(0, strings.Count(a, string(r))-strings.Count(b, string(r))))
	}
	return n
}

func BenchmarkLockstep(b *testing.B) {
	e := letters("a")[0]
	endless := func(n int) stream {
		return func() (entry, bool, error) {
			n--
			e.print.timestamp = int64(n)
			return e, n >= 0, nil
		}
	}
	var p Partition
	b.ReportAllocs()
	if err := newDiffer(endless(b.N), endless(b.N), &p).run(); err != nil || !p.Counts.OK() {
		b.Fatal(err, p.Counts)
	}
}
