package integration

import (
	"strings"
	"testing"
	"time"

	"github.com/meshd/meshd/internal/kafkatest"
	"github.com/meshd/meshd/internal/mutant"
	"github.com/meshd/meshd/test/validate"
)

// identityMutations are what identity naming rests on, each taken away.
var identityMutations = []struct {
	mutant.Mutation
	scene  *scene
	caught validate.Kind
}{{
	Mutation: mutant.Mutation{
		Name: "a header alone is trusted", File: "loop/judge_record.go",
		Old: "\tv.Why = CopiedHeader\n",
		New: "\tv.Act, v.Why = Suppress, Seen\n\treturn v\n",
	},
	scene: &applicationCopies, caught: validate.Lost,
}, {
	Mutation: mutant.Mutation{
		Name: "no header", File: "loop/judge_record.go",
		Old: "\tv.Act = Stamp\n",
		New: "\tv.Act = Deliver\n",
	},
	scene: &applicationCopies, caught: validate.Mislabelled,
}, {
	Mutation: mutant.Mutation{
		Name: "no barrier", File: "loop/writers.go",
		Old: "\tif w.asOf > fetched {\n\t\tw.settle(id)\n",
		New: "\tif true {\n\t\tw.settle(id)\n",
	},
	scene: &lateWriter, caught: validate.Looped,
}, {
	Mutation: mutant.Mutation{
		Name: "no frontier after a take-over", File: "flow/sieve.go",
		Old: "\t\ts.judge.Taken.Restore(s.origin, s.judge.Part, to, nil)\n",
		New: "",
	},
	scene: &overTheHub, caught: validate.Duplicated,
}}

// How long a topic gets to be complete, and what leads up to that to come about: meshd as it is needs seconds, and a mutant may stand
// still for ever.
const (
	mutantWithin = 8 * time.Second
	mutantMoves  = 30 * time.Second
)

// Each scene passes with meshd as it is, and validate fails it with each mutant.
func TestIdentityMutants(t *testing.T) {
	parallel(t)
	sound := map[*scene]bool{}
	for _, m := range identityMutations {
		name := strings.ReplaceAll(m.Name, " ", "-")
		if !sound[m.scene] {
			sound[m.scene] = true
			t.Run(strings.ReplaceAll(m.scene.name, " ", "-"), func(t *testing.T) {
				p := &play{binary: binary, within: 2 * patience}
				m.scene.play(t, p)
				if !p.report.OK() {
					t.Error(p.report)
				}
			})
		}
		t.Run(name, func(t *testing.T) {
			path, err := m.Build("../..", t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			p := &play{binary: path, within: mutantWithin}
			m.scene.play(t, p)
			t.Log(p.report.Counts)
			if p.report.Counts[m.caught] == 0 {
				t.Errorf("not caught: %s", p.report)
			}
		})
	}
}

// Every mutation fits the code as it is.
func TestIdentityMutationsFit(t *testing.T) {
	for _, m := range identityMutations {
		if _, err := m.Text("../.."); err != nil {
			t.Error(err)
		}
	}
}

// scene is how something comes about that identity naming has to stand.
type scene struct {
	name string
	play func(*testing.T, *play)
}

// play is a scene with one meshd or another, and what it came to.
type play struct {
	binary string
	within time.Duration
	report validate.SharedReport
}

// mesh starts no nodes yet.
func (p *play) mesh(t *testing.T, links string, sites ...*site) *mesh {
	t.Helper()
	m := newMesh(t, links, sites...)
	m.binary = p.binary
	return m
}

// look waits for what a mutant may never come to.
func (p *play) look(t *testing.T, done func() bool) {
	t.Helper()
	poll(t, mutantMoves, func() (string, bool) { return "", done() })
}

func (p *play) judge(t *testing.T, c common) {
	t.Helper()
	p.report = c.judge(t, p.within)
}

// An application at one of three clusters writes what it read, with all headers that it had, to the same topic.
var applicationCopies = scene{"an application copies headers", func(t *testing.T, p *play) {
	sites := shared(t, "us", "eu", "ap")
	c := newCommon(t, 4, sites...)
	p.mesh(t, identity("us, eu, ap", c.topic), sites...).startAll(t)
	const n = 300
	c.produce(t, n, kafkatest.Workload{Partitions: 4})
	a := startApplication(t, sites[1], c.topic, c.topic)
	p.look(t, func() bool { return int(a.copied.Load()) == n*len(sites) })
	a.stop(t)
	p.judge(t, c)
}}

// A writer begins to write at a cluster whose registry was read before it was in there. Its records have no header, which would have the
// source's map asked.
var lateWriter = scene{"a writer begins later", func(t *testing.T, p *play) {
	sites := shared(t, "us", "eu")
	c := newCommon(t, 4, sites...)
	c.unstamped = true
	m := p.mesh(t, identity("us, eu", c.topic)+"\n    provenance: batch", sites...)
	m.start(t, "eu-1")
	const n = 300
	c.produce(t, n, kafkatest.Workload{Partitions: 4})
	at := startTally(t, sites[1], c.topic)
	p.look(t, func() bool { return at.of("us") == n })
	m.start(t, "us-1")
	home := startTally(t, sites[0], c.topic)
	p.look(t, func() bool { return home.of("eu") >= n })
	c.produceAt(t, sites[0], n, kafkatest.Workload{Seed: 1, Partitions: 4})
	p.look(t, func() bool { return at.of("us") >= 2*n }) // what would come home of what us-1 wrote lies before it
	p.judge(t, c)
}}

// A node dies that takes records from another cluster than that where they were produced: where its heir reads on there is where the node
// was when it saved its place, and not where it was when it died.
var overTheHub = scene{"an heir over a hub", func(t *testing.T, p *play) {
	sites := shared(t, "us", "eu", "ap")
	c := newCommon(t, 4, sites...)
	m := p.mesh(t, around("us", "eu, ap", c.topic)+"\n    naming: identity", sites...)
	m.startAll(t)
	loads, at := c.load(t, kafkatest.Workload{Partitions: 4}, 500), startTally(t, sites[1], c.topic)
	for range 4 {
		from := at.of("ap")
		p.look(t, func() bool { return at.of("ap") > from+1_000 })
		m.latest["eu-1"].Kill()
		m.again(t, "eu-1")
	}
	loads.stop(t)
	p.judge(t, c)
}}
