package kafkatest

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Whatever shape a record has, it says where it was produced, and so does a copy of it, and a copy of that.
func TestEveryRecordHasItsHome(t *testing.T) {
	for _, size := range []int{0, 100} {
		w := Workload{Seed: 3, Partitions: 2, Size: size, At: "us"}
		for i := range 500 {
			r := w.Record(i)
			first := CopyAt("eu", r)
			second := CopyAt("ap", first)
			for at, record := range map[string]*kgo.Record{"us": r, "eu": first, "ap": second} {
				if home := HomeOf(record.Key, record.Value); home != at {
					t.Fatalf("record %d of %s: home %q: key %q, value %q", i, at, home, record.Key, record.Value)
				}
				if IsCopy(record.Key, record.Value) != (at != "us") {
					t.Fatalf("record %d of %s: taken for what it is not: key %q, value %q", i, at, record.Key, record.Value)
				}
			}
		}
	}
}

// All shapes are left: a null and an empty key, a null and an empty value.
func TestSignedRecordsHaveAllShapes(t *testing.T) {
	w := Workload{Partitions: 1, At: "us"}
	seen := map[string]int{}
	for i := range 500 {
		r := w.Record(i)
		seen["key "+kindOf(r.Key)]++
		seen["value "+kindOf(r.Value)]++
	}
	for _, shape := range []string{"key null", "key empty", "key there", "value null", "value empty", "value there"} {
		if seen[shape] == 0 {
			t.Errorf("no %s: %v", shape, seen)
		}
	}
}

func kindOf(b []byte) string {
	switch {
	case b == nil:
		return "null"
	case len(b) == 0:
		return "empty"
	default:
		return "there"
	}
}

func TestStrangersHaveNoHome(t *testing.T) {
	for _, texts := range [][2]string{{"", ""}, {"key-1-2", "value-1-2 "}, {"us|key", "value"}} {
		if home := HomeOf([]byte(texts[0]), []byte(texts[1])); home != "" {
			t.Errorf("%q: %q", texts, home)
		}
	}
}
