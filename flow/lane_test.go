package flow

import (
	"maps"
	"testing"
	"time"

	"github.com/meshd/meshd/kafka"
)

// Answers grow over a long way, and shrink where the source is near; those that are not full say nothing.
func TestAnswerSize(t *testing.T) {
	size := int64(fetchLeast)
	for i, step := range []struct {
		full bool
		took time.Duration
		want int64
	}{
		{true, 100 * time.Millisecond, 8 << 20},
		{true, 100 * time.Millisecond, 16 << 20},
		{true, time.Second, 16 << 20},
		{false, time.Millisecond, 16 << 20},
		{true, 20 * time.Millisecond, 16 << 20},
		{true, time.Millisecond, 8 << 20},
		{true, time.Millisecond, 4 << 20},
		{true, time.Millisecond, 4 << 20},
		{false, time.Second, 4 << 20},
	} {
		got := int64(0)
		if step.full {
			got = size
		}
		if size = answerSize(size, got, step.took); size != step.want {
			t.Fatalf("step %d: %d, want %d", i, size, step.want)
		}
	}
}

// A part is asked for more while it holds what an answer brings of it, where answers are large because the way is long.
func TestRoomOfAPartOverALongWay(t *testing.T) {
	l := &lane{id: laneID{backlog: true}, size: fetchLeast}
	if got := l.room(); got != queueBytes {
		t.Errorf("near: %d bytes, want %d", got, queueBytes)
	}
	l.size = fetchMaxBytes
	if got, want := l.room(), 2*fetchPartMost; got != want {
		t.Errorf("far: %d bytes, want %d", got, want)
	}
	p := loose(&mute{})
	p.state, p.queued = CatchingUp, queueBytes
	if _, ok, _ := p.want(time.Now(), queueBytes); ok {
		t.Error("a full part wants more")
	}
	if _, ok, _ := p.want(time.Now(), l.room()); !ok {
		t.Error("a part that holds half of its room wants nothing")
	}
}

// What is caught up is read in two lanes of one broker, so that one's answer is under way while the broker works on the other's.
func TestABacklogIsTwoLanes(t *testing.T) {
	f := &Fetcher{seats: map[*part]*seat{}, lanes: map[laneID]*lane{}, dir: kafka.NewDirectory(nil, time.Hour)}
	seen := map[laneID]int{}
	for range 4 {
		p := loose(&mute{})
		f.add(p)
		seen[f.seats[p].behind(1)]++
	}
	if want := map[laneID]int{{1, true, false}: 2, {1, true, true}: 2}; !maps.Equal(seen, want) {
		t.Errorf("%v, want %v", seen, want)
	}
}
