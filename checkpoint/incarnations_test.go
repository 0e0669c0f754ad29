package checkpoint

import (
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
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
				if err := topics.applyClaim(incarnationPrefix+"orders/"+c.TopicID+"/n", []byte(`{"v":1,"number":`+string('0'+rune(c.Number))+`}`)); err != nil {
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
