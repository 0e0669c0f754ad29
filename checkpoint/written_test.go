package checkpoint

import (
	"testing"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
)

func TestPlaceOfWritten(t *testing.T) {
	m := offsetxlate.New(offsetxlate.Point{Src: 0, Dst: 5}) // 0..9 at 5..14, then others, then 10..19 at 20..29, a marker at 30
	for _, err := range []error{m.Append(0, 5, 10), m.Append(10, 20, 10), m.AdvanceDest(31)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	all := Written{There: true, Map: m, Progress: Progress{Owner: kafka.ProducerID{ID: 7}, Incarnation: 1, SourceEpoch: 3, Source: 20, Dest: 31, DestEpoch: 4}}
	bare, later, lags := all, all, all
	bare.Map = nil
	lags.Progress.Dest = 40
	later.Map = offsetxlate.NewUnknown(offsetxlate.Point{Src: 10, Dst: 20})
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	must(later.Map.Append(10, 20, 10))
	must(later.Map.AdvanceDest(31))
	at := func(offset int64) loop.Coordinate { return loop.Coordinate{Incarnation: 1, Epoch: 3, Offset: offset} }
	for _, c := range []struct {
		what   string
		w      Written
		at     loop.Coordinate
		offset int64
		pid    int64
		epoch  int32
		fresh  bool
		want   loop.Place
	}{
		{"the original", all, at(4), 9, 50, 4, false, loop.Here},
		{"a copy among others", all, at(4), 17, 50, 4, false, loop.Elsewhere},
		{"a copy before the first", all, at(4), 2, 50, 4, false, loop.Elsewhere},
		{"a copy in the place of another record", all, at(4), 22, 50, 4, false, loop.Here},
		{"a copy behind, of what is here", all, at(4), 40, 50, 4, false, loop.Elsewhere},
		{"behind, of what is not here", all, at(25), 40, 50, 4, false, loop.NotCovered},
		{"behind, of what is not here, read behind it", all, at(25), 40, 50, 4, true, loop.Elsewhere},
		{"behind, by the owner", all, at(25), 40, 7, 4, true, loop.Here},
		{"behind, of a later leader", all, at(4), 40, 50, 5, false, loop.NotCovered},
		{"behind, of a later leader, read behind it", all, at(4), 40, 50, 5, true, loop.Elsewhere},
		{"in a log that was cut off, by the owner", all, at(4), 9, 7, 5, true, loop.Here},
		{"in a log that was cut off", all, at(4), 9, 50, 5, true, loop.Elsewhere},
		{"of a later leader at the origin", all, loop.Coordinate{Incarnation: 1, Epoch: 4, Offset: 4}, 40, 50, 4, false, loop.NotCovered},
		{"of an incarnation before the map", all, loop.Coordinate{Epoch: 9, Offset: 400}, 2, 50, 4, false, loop.NotCovered},
		{"below a map without its beginning", later, at(4), 9, 50, 4, true, loop.NotCovered},
		{"below it, of what the map has", later, at(12), 9, 50, 4, false, loop.Elsewhere},
		{"nothing was noted", Written{}, at(4), 9, 50, 4, false, loop.NotCovered},
		{"nothing is noted", Written{}, at(4), 9, 50, 4, true, loop.Elsewhere},
		{"a map, and no progress yet", Written{Map: m}, at(4), 9, 50, 4, true, loop.NotCovered},
		{"progress, and no map yet", bare, at(4), 9, 50, 4, true, loop.NotCovered},
		{"progress, and no map, by the owner", bare, at(4), 9, 7, 4, true, loop.Here},
		{"progress, and a map that lags", lags, at(25), 35, 50, 4, true, loop.NotCovered},
		{"a map that lags, by the owner", lags, at(25), 35, 7, 4, true, loop.Here},
		{"progress, and no map, behind", bare, at(25), 40, 50, 4, true, loop.Elsewhere},
	} {
		b := loop.Batch{ProducerID: c.pid, LeaderEpoch: c.epoch}
		if got := c.w.Place(b, c.at, c.offset, c.fresh); got != c.want {
			t.Errorf("%s: %d, want %d", c.what, got, c.want)
		}
	}
}
