package batch

import (
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"
)

// What Kafka's own classes have written, of every format and codec, is read as Kafka's own reader reads it.
// testdata/java/Golden.java tells how the file was made.
func TestReaderAgainstJava(t *testing.T) {
	text, err := os.ReadFile("testdata/java/golden.txt")
	if err != nil {
		t.Fatal(err)
	}
	cases := strings.Split(string(text), "batch ")[1:]
	if len(cases) < 20 {
		t.Fatalf("%d batches", len(cases))
	}
	for _, c := range cases {
		lines := strings.Split(strings.TrimSpace(c), "\n")
		head := strings.Fields(lines[0])
		t.Run(strings.Join(head[:3], " "), func(t *testing.T) {
			raw, err := hex.DecodeString(head[3])
			if err != nil {
				t.Fatal(err)
			}
			wantRows(t, readFetch(t, raw), parseGolden(t, lines[1:]))
		})
	}
}

func parseGolden(t *testing.T, lines []string) (rows []row) {
	t.Helper()
	for _, line := range lines {
		var r row
		var key, value string
		if _, err := fmt.Sscanf(line, "record %d %d %s %s", &r.Offset, &r.Timestamp, &key, &value); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		r.Key, r.Value = goldenBytes(t, key), goldenBytes(t, value)
		rows = append(rows, r)
	}
	return rows
}

func goldenBytes(t *testing.T, s string) []byte {
	t.Helper()
	if s == "null" {
		return nil
	}
	raw, err := hex.DecodeString(strings.TrimPrefix(s, "x"))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
