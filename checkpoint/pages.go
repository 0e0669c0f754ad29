package checkpoint

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/offsetxlate"
)

// Pages are the stored pages of offset maps, by the key of their map and where they begin.
type Pages map[string]map[offsetxlate.Source][]byte

// MapKey names the map of one incarnation of a partition's topic. Each has a map of its own, for offsets begin anew: what was copied of the one
// before lies before what is copied of the next.
func MapKey(part string, incarnation int32) string {
	if incarnation == 0 {
		return part
	}
	return part + "#" + strconv.Itoa(int(incarnation))
}

// splitMapKey takes a MapKey apart.
func splitMapKey(key string) (part string, incarnation int32, err error) {
	part, num, later := strings.Cut(key, "#")
	if !later {
		return part, 0, nil
	}
	n, nerr := strconv.ParseInt(num, 10, 32)
	if nerr != nil || n < 1 {
		return "", 0, fmt.Errorf("key %q does not name an offset map", key)
	}
	return part, int32(n), nil
}

// PageKey is the key of one page of a map, named by its MapKey.
func PageKey(part string, start offsetxlate.Source) string {
	return part + "@" + strconv.FormatInt(int64(start), 10)
}

// SplitPageKey takes the key of a page apart: the map's key, and where the page begins.
func SplitPageKey(key string) (part string, start offsetxlate.Source, err error) {
	part, num, ok := strings.Cut(key, "@")
	n, nerr := strconv.ParseInt(num, 10, 64)
	if !ok || nerr != nil {
		return "", 0, fmt.Errorf("key %q does not name a page of an offset map", key)
	}
	return part, offsetxlate.Source(n), nil
}

// Apply takes one record of an offsets topic.
func (ps Pages) Apply(r *kgo.Record) error {
	part, start, err := SplitPageKey(string(r.Key))
	if err != nil {
		return err
	}
	if r.Value == nil {
		delete(ps[part], start)
		return nil
	}
	if ps[part] == nil {
		ps[part] = map[offsetxlate.Source][]byte{}
	}
	ps[part][start] = r.Value
	return nil
}

// Keys are those of the pages of a partition's maps below an incarnation.
func (ps Pages) Keys(part string, below int32) (keys []string) {
	for key, pages := range ps {
		if p, n, err := splitMapKey(key); err != nil || p != part || n >= below {
			continue
		}
		for start := range pages {
			keys = append(keys, PageKey(key, start))
		}
	}
	return keys
}

// Copied says whether any map of a partition has more than its beginning, or can't be read.
func (ps Pages) Copied(part string) bool {
	for key, pages := range ps {
		if p, _, err := splitMapKey(key); err != nil || p != part || len(pages) == 0 {
			continue
		}
		if m, err := ps.Map(key); err != nil || m.End().Src > m.Start().Src {
			return true
		}
	}
	return false
}

// Put replaces all pages of a map by those of m.
func (ps Pages) Put(part string, m *offsetxlate.Map) {
	ps[part] = map[offsetxlate.Source][]byte{}
	pages, _ := m.EncodeSince(0)
	for _, p := range pages {
		if p.Data != nil {
			ps[part][p.Start] = p.Data
		}
	}
}

// Map puts a map together; nil if none is stored.
func (ps Pages) Map(part string) (*offsetxlate.Map, error) {
	pages := make([]offsetxlate.Page, 0, len(ps[part]))
	for start, data := range ps[part] {
		pages = append(pages, offsetxlate.Page{Start: start, Data: data})
	}
	if len(pages) == 0 {
		return nil, nil //nolint:nilnil // a partition that was never copied has no map, and that is no error
	}
	m, err := offsetxlate.Load(pages)
	if err != nil {
		return nil, fmt.Errorf("offset map of %s: %w", part, err)
	}
	return m, nil
}
