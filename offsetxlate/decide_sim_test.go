package offsetxlate

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/meshd/meshd/topology"
)

// TestGroupMoves sends a group there and back ten times, between clusters that are written to, thinned, fenced and restarted. It
// never skips; it reads nothing again when the link was quiet, and never more than was announced.
func TestGroupMoves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld("us", "eu", "ap")
		w.addTopic("us", "orders", 2)
		w.addTopic("eu", "orders", 1)
		s := &moves{world: w}
		for _, p := range w.parts { // a consumer that resets to earliest, and has committed
			w.sites["us"].commits[p.at("us")] = Commit{}
		}
		at := topology.Alias("us")
		for range 10 {
			s.stay(t, at)
			at = s.leave(t, at)
		}
	})
}

type moves struct {
	*world
	announced map[Partition]Placement // when the group came
	thinned   bool
	quiet     bool
	sudden    bool
}

// do fails the run on an error.
func do(t *rapid.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// stay runs the group at a cluster while everything else goes on.
func (s *moves) stay(t *rapid.T, at topology.Alias) {
	s.sites[at].state = "Stable"
	first := map[*worldPart]int64{}
	for range rapid.IntRange(1, 12).Draw(t, "steps") {
		p := s.parts[rapid.IntRange(0, len(s.parts)-1).Draw(t, "partition")]
		switch rapid.SampledFrom([]string{"produce", "produce", "copy", "others", "map", "consume", "consume", "sync", "sync", "retain"}).Draw(t, "step") {
		case "produce":
			p.produce(rapid.IntRange(1, 30).Draw(t, "records"), true)
			p.produce(rapid.IntRange(0, 3).Draw(t, "gap"), false)
		case "copy":
			for _, c := range s.clusters {
				if c != p.id.Origin {
					do(t, p.copyTo(c, rapid.IntRange(1, 40).Draw(t, "copied")))
				}
			}
		case "others":
			if c := rapid.SampledFrom(s.clusters).Draw(t, "at"); c != p.id.Origin {
				do(t, p.others(c, rapid.IntRange(1, 3).Draw(t, "n"), rapid.Bool().Draw(t, "told")))
			}
		case "map":
			s.disturb(t, p)
		case "consume":
			s.read(t, p, at, rapid.IntRange(1, 40).Draw(t, "n"), first)
		case "sync":
			deaf := s.sites[rapid.SampledFrom(s.clusters).Draw(t, "unread")]
			deaf.unread = rapid.Bool().Draw(t, "is unread")
			_, err := s.sync(rapid.SampledFrom(s.clusters).Draw(t, "for"))
			do(t, err)
			deaf.unread = false
		case "retain":
			s.retain(t, p, rapid.SampledFrom(s.clusters).Draw(t, "at"))
		}
	}
	for _, p := range s.parts {
		s.read(t, p, at, rapid.IntRange(0, 100).Draw(t, "rest"), first)
	}
}

// read consumes, and holds what was read again since the group arrived against what was announced for the place that it found.
func (s *moves) read(t *rapid.T, p *worldPart, at topology.Alias, n int, first map[*worldPart]int64) {
	again, err := s.consume(p, at, n)
	do(t, err)
	first[p] += again
	if s.sudden {
		return
	}
	if first[p] > s.announced[p.id].Reread {
		t.Fatalf("%v at %s: %d read again, announced %+v", p.id, at, first[p], s.announced[p.id])
	}
	if s.quiet && !s.thinned && first[p] > 0 {
		t.Fatalf("%v at %s: %d read again after a quiet move, %+v", p.id, at, first[p], s.announced[p.id])
	}
}

// disturb restarts the owner of a map, or thins it. The maps are small, so that joining takes a page by force.
func (s *moves) disturb(t *rapid.T, p *worldPart) {
	for _, c := range s.clusters {
		if c == p.id.Origin {
			continue
		}
		m, err := Decode(p.copies[c].m.Encode())
		do(t, err)
		if rapid.Bool().Draw(t, "thin") {
			s.thinned = true
			thinAll(m)
		}
		p.copies[c].m = m
	}
}

// retain cuts the log of a cluster, below where the group stands there.
func (s *moves) retain(t *rapid.T, p *worldPart, at topology.Alias) {
	commit, ok := s.sites[at].commits[p.at(at)]
	if !ok {
		return
	}
	start := Dest(rapid.Int64Range(0, int64(commit.Offset)).Draw(t, "start"))
	if at == p.id.Origin {
		p.start = max(p.start, start)
		for _, to := range p.copies {
			to.m.TrimSource(Source(p.start))
		}
		return
	}
	to := p.copies[at]
	to.start = max(to.start, start)
	to.m.TrimDest(to.start)
}

// thinAll joins every closed run of a map, as time would.
func thinAll(m *Map) {
	if p := m.last(); len(p.runs) > 0 && m.open.n > 0 {
		m.pages = append(m.pages, page{start: p.end, end: p.end})
		m.thinPages(len(m.pages)-1, MaxOffset)
	}
}

// leave stops the group and says where it goes: on a quiet link after everything was copied and synced; after a sync; or to a
// place that was set at any time before.
func (s *moves) leave(t *rapid.T, from topology.Alias) topology.Alias {
	s.sites[from].state = "Empty"
	to := rapid.SampledFrom(s.clusters).Draw(t, "to")
	s.quiet = rapid.Bool().Draw(t, "quiet")
	told := s.quiet && rapid.Bool().Draw(t, "told")
	for _, p := range s.parts {
		for _, c := range s.clusters {
			if s.quiet && c != p.id.Origin {
				do(t, p.copyTo(c, len(p.slots)))
				do(t, p.others(c, 0, told))
			}
		}
	}
	s.sudden = !s.quiet && len(s.sites[to].commits) == len(s.parts) && rapid.Bool().Draw(t, "sudden")
	if s.sudden {
		return to
	}
	d, err := s.sync(to)
	do(t, err)
	s.announced = map[Partition]Placement{}
	for _, p := range d.Placements {
		s.announced[p.Partition] = p
		if told && !s.thinned && (p.Reread != 0 || !p.Exact) {
			t.Fatalf("quiet, and not exact: %+v", p)
		}
		switch {
		case p.Reason == "" || p.Reason == ReasonSame:
		case p.Reason == ReasonNotCovered && !s.quiet:
		case (p.Reason == ReasonRewind || p.Reason == ReasonBelowStart) && s.thinned:
		default:
			t.Fatalf("not moved: %+v", p)
		}
	}
	return to
}
