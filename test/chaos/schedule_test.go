package chaos

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// kind is a kind of fault.
type kind string

const (
	nodeKilled      kind = "node killed"      // kill -9, and started again
	nodeStopped     kind = "node stopped"     // SIGSTOP for longer than a take-over: it wakes up as a zombie
	lineCut         kind = "line cut"         // between a node and a cluster: reset, and reset again
	lineLost        kind = "line lost"        // half-open: nothing arrives, nobody is told
	lineLate        kind = "line late"        // the same, but then everything arrives
	brokerRestarted kind = "broker restarted" //
	brokerKilled    kind = "broker killed"    // kill -9, and started again
	brokerStopped   kind = "broker stopped"   // SIGSTOP: it answers nothing, and refuses nothing
	diskFull        kind = "disk full"        // at the destination
	quota           kind = "produce quota"    // at the destination
	linkCut         kind = "link cut"         // both ways: the line of each node of either cluster to the other one
	linkLost        kind = "link lost"        // likewise, half-open
	leadersMoved    kind = "leaders moved"    // at the destination, to other replicas
)

var kinds = []kind{
	nodeKilled, nodeStopped, lineCut, lineLost, lineLate, brokerRestarted, brokerKilled, brokerStopped, diskFull, quota, leadersMoved,
}

// fault is one fault of a schedule. Times are since the beginning of the seed.
type fault struct {
	kind     kind
	node     string // "" where none is struck
	cluster  string // "" where none is
	other    string // the other end of a link
	broker   int    // 0 stands for none
	from, to time.Duration
}

func (f fault) String() string {
	parts := []string{string(f.kind)}
	if f.node != "" {
		parts = append(parts, f.node)
	}
	switch {
	case f.broker > 0:
		parts = append(parts, fmt.Sprintf("%s/%d", f.cluster, f.broker))
	case f.other != "":
		parts = append(parts, f.cluster+"<->"+f.other)
	case f.cluster != "":
		parts = append(parts, f.cluster)
	}
	return strings.Join(parts, " ")
}

// perSeed is how many faults a seed has.
const perSeed = 6

// newSchedule is the schedule of a seed, by the times at which the faults begin.
func newSchedule(seed uint64) []fault { return scheduled(seed, kinds, perSeed, drawn) }

// scheduled draws so many faults of different kinds.
func scheduled(seed uint64, kinds []kind, n int, drawn func(kind, *rand.Rand) fault) []fault {
	random := rand.New(rand.NewPCG(seed, 0))
	deck := slices.Clone(kinds)
	random.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
	var faults []fault
	at := 2 * time.Second
	for _, k := range deck[:n] {
		f := drawn(k, random)
		length := f.to
		f.from = at
		for _, other := range faults {
			if f.excludes(other) {
				f.from = max(f.from, other.to+time.Second)
			}
		}
		f.to = f.from + length
		at += tenths(random, 15, 45)
		faults = append(faults, f)
	}
	slices.SortStableFunc(faults, func(a, b fault) int { return cmp.Compare(a.from, b.from) })
	return faults
}

// excludes says whether two faults must not be at one time: they strike the same, or would leave too few brokers to write
// or to be told of it.
func (f fault) excludes(other fault) bool {
	sameNode := f.node != "" && f.node == other.node
	brokers := f.broker > 0 && other.broker > 0 && f.cluster == other.cluster
	leaders := f.kind == leadersMoved && other.broker > 0 || other.kind == leadersMoved && f.broker > 0
	limits := f.cluster == other.cluster && (f.kind == quota && other.broker > 0 || other.kind == quota && f.broker > 0)
	lines := f.link() && other.line() || f.line() && other.link()
	return sameNode || brokers || leaders || limits || lines
}

// link says whether a fault strikes the lines of several nodes.
func (f fault) link() bool { return f.kind == linkCut || f.kind == linkLost }

// line says whether a fault strikes any line.
func (f fault) line() bool {
	return f.link() || f.kind == lineCut || f.kind == lineLost || f.kind == lineLate
}

// drawn is a fault that begins at 0.
func drawn(k kind, random *rand.Rand) fault {
	f := fault{kind: k}
	switch k {
	case nodeKilled:
		f.node, f.to = pick(random, "eu-1", "eu-2", "eu-1", "eu-2", "us-1"), tenths(random, 1, 50)
	case nodeStopped:
		f.node, f.to = pick(random, "eu-1", "eu-2"), tenths(random, 35, 70)
	case lineCut:
		f.node, f.cluster, f.to = pick(random, "eu-1", "eu-2"), pick(random, "us", "eu"), tenths(random, 1, 50)
	case lineLost, lineLate:
		f.node, f.cluster, f.to = pick(random, "eu-1", "eu-2"), pick(random, "us", "eu", "eu"), tenths(random, 30, 80)
	case brokerRestarted:
		f.cluster, f.broker = anyBroker(random)
	case brokerKilled:
		f.cluster, f.broker = anyBroker(random)
		f.to = tenths(random, 0, 30)
	case brokerStopped:
		f.cluster, f.broker = anyBroker(random)
		f.to = tenths(random, 30, 110) // some beyond the broker's session timeout: its leaders move
	case diskFull:
		f.cluster, f.broker, f.to = "eu", fullBroker, tenths(random, 30, 60)
	case quota:
		f.cluster, f.to = "eu", tenths(random, 40, 80)
	case leadersMoved:
		f.cluster = "eu"
	case linkCut, linkLost: // there is one link
	}
	return f
}

// fullBroker has its data where it can be made full.
const fullBroker = 3

func anyBroker(random *rand.Rand) (cluster string, broker int) {
	if broker = random.IntN(4); broker == 0 {
		return "us", 1
	}
	return "eu", broker
}

func pick(random *rand.Rand, among ...string) string { return among[random.IntN(len(among))] }

// tenths is a time of at least from and less than to tenths of a second.
func tenths(random *rand.Rand, from, to int) time.Duration {
	return time.Duration(from+random.IntN(to-from)) * 100 * time.Millisecond
}

// One seed is one schedule, no two faults of which exclude each other; and every kind comes up in the first seeds.
func TestSchedules(t *testing.T) {
	checkSchedules(t, kinds, perSeed, newSchedule)
	for _, l := range layouts {
		checkSchedules(t, sharedKinds, sharedPerSeed, l.schedule)
	}
}

func checkSchedules(t *testing.T, kinds []kind, n int, schedule func(uint64) []fault) {
	t.Helper()
	seen := map[kind]int{}
	for seed := range uint64(20) {
		faults := schedule(seed + 1)
		if !slices.Equal(faults, schedule(seed+1)) {
			t.Fatalf("seed %d has two schedules", seed+1)
		}
		for i, f := range faults {
			seen[f.kind]++
			for _, g := range faults[:i] {
				if f.excludes(g) && f.from < g.to && g.from < f.to {
					t.Errorf("seed %d: %s and %s at one time", seed+1, f, g)
				}
			}
		}
		if len(faults) != n {
			t.Errorf("seed %d has %d faults", seed+1, len(faults))
		}
	}
	for _, k := range kinds {
		if seen[k] < 5 {
			t.Errorf("%s comes up %d times in 20 seeds", k, seen[k])
		}
	}
}
