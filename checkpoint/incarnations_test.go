package checkpoint

import (
	"slices"
	"strconv"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/offsetxlate"
)

// Who reads the claims in their order decides as everybody else does, also when two claim at the same time.
func TestClaims(t *testing.T) {
	for name, tc := range map[string]struct {
		claims, want []Incarnation
	}{
		"the first two agree":              {[]Incarnation{{"x", 0}, {"x", 0}}, []Incarnation{{"x", 0}}},
		"the first two saw different ones": {[]Incarnation{{"x", 0}, {"y", 0}}, []Incarnation{{"x", 0}}},
		"accepted":                         {[]Incarnation{{"x", 0}, {"y", 1}}, []Incarnation{{"x", 0}, {"y", 1}}},
		"two accept different ones":        {[]Incarnation{{"x", 0}, {"y", 1}, {"z", 1}, {"z", 2}}, []Incarnation{{"x", 0}, {"y", 1}, {"z", 2}}},
		"claimed again":                    {[]Incarnation{{"x", 0}, {"y", 1}, {"x", 2}}, []Incarnation{{"x", 0}, {"y", 1}}},
		"the first one lost its registry":  {[]Incarnation{{"x", 3}, {"w", 2}, {"y", 4}}, []Incarnation{{"x", 3}, {"y", 4}}},
	} {
		t.Run(name, func(t *testing.T) {
			topics := NewTopics(nil)
			for _, c := range tc.claims {
				if err := topics.applyClaim(incarnationPrefix+"orders/"+c.TopicID+"/n", []byte(`{"v":1,"number":`+strconv.Itoa(int(c.Number))+`}`)); err != nil {
					t.Fatal(err)
				}
			}
			if got := topics.Incarnations("orders"); !slices.Equal(got, tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func TestClaimsThatCannotBeRead(t *testing.T) {
	for key, value := range map[string]string{
		incarnationPrefix + "orders/x":   `{"v":1}`,
		incarnationPrefix + "orders/x/n": `{"v":2}`,
		incarnationPrefix + "orders/y/n": `{`,
	} {
		if err := NewTopics(nil).apply(&kgo.Record{Key: []byte(key), Value: []byte(value)}); err == nil {
			t.Errorf("%s %s was taken", key, value)
		}
	}
}

// Offsets begin anew with each incarnation, so each has a map of its own; groups are translated by the last one.
func TestMapsOfIncarnations(t *testing.T) {
	m := NewMaps(nil, "us")
	put := func(incarnation int32, start offsetxlate.Point, n int64) (keys []string) {
		t.Helper()
		x := offsetxlate.New(start)
		if err := x.Append(start.Src, start.Dst, n); err != nil {
			t.Fatal(err)
		}
		pages, _ := x.EncodeSince(0)
		for _, p := range pages {
			key := PageKey(MapKey("orders/3", incarnation), p.Start)
			keys = append(keys, key)
			if err := m.apply(&kgo.Record{Key: []byte(key), Value: p.Data}); err != nil {
				t.Fatal(err)
			}
		}
		return keys
	}
	put(0, offsetxlate.Point{}, 100)
	keys := put(2, offsetxlate.Point{Dst: 150}, 30)
	if x, err := m.Of("orders", 3); err != nil || x.ToDest(10).Offset != 160 {
		t.Errorf("translated by the map of another incarnation: %v", err)
	}
	if x, err := m.In("orders", 3, 0); err != nil || x.ToDest(10).Offset != 10 {
		t.Errorf("the old map: %v", err)
	}
	if x, err := m.In("orders", 3, 1); err != nil || x != nil {
		t.Errorf("a map of an incarnation that was never copied: %v", err)
	}
	if n, x, err := m.Behind("orders", 3, 0); err != nil || n != 2 || x.Start().Dst != 150 {
		t.Errorf("behind the first one comes %d: %v", n, err)
	}
	for _, key := range keys {
		if err := m.apply(&kgo.Record{Key: []byte(key)}); err != nil {
			t.Fatal(err)
		}
	}
	if x, err := m.Of("orders", 3); err != nil || x.ToDest(10).Offset != 10 {
		t.Errorf("pages that were deleted still count: %v", err)
	}
}
