package topology

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// units of sizes; the order matters, for every one of them ends in B.
var units = []struct {
	name  string
	bytes int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"B", 1}}

const maxSize = 1 << 40

// sizeOr is a size, or a word for none at all, which is 0.
func sizeOr(key, word string, at *int64, lo int64) field {
	f := size(key, word, at, lo)
	read := f.read
	f.kind = "size or " + word
	f.read = func(p *parser, v value) {
		if v.node.Value == word {
			*at = 0
			return
		}
		read(p, v)
	}
	return f
}

func size(key, def string, at *int64, lo int64) field {
	return field{key: key, kind: "size", def: def, read: func(p *parser, v value) {
		n, ok := parseSize(v.node.Value)
		switch {
		case v.node.Kind != yaml.ScalarNode || !ok:
			p.bad(v, "wants a size, not %s", describe(v.node)).Hint = "a whole number and its unit: 512KiB, 64MiB, 1GiB"
		case n < lo || n > maxSize:
			p.bad(v, "%s is out of range", v.node.Value).Hint = fmt.Sprintf("from %s to 1024GiB", formatSize(lo))
		default:
			*at = n
		}
	}}
}

// parseSize reads 64MiB as bytes. What is too large comes back as more than maxSize.
func parseSize(s string) (int64, bool) {
	for _, u := range units {
		digits, found := strings.CutSuffix(s, u.name)
		if !found {
			continue
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		if errors.Is(err, strconv.ErrRange) || n > maxSize/u.bytes {
			return maxSize + 1, true
		}
		return n * u.bytes, err == nil
	}
	return 0, false
}

func formatSize(n int64) string {
	for _, u := range []int{2, 1, 0} {
		if b := units[u].bytes; n%b == 0 && n >= b {
			return fmt.Sprintf("%d%s", n/b, units[u].name)
		}
	}
	return fmt.Sprintf("%dB", n)
}
