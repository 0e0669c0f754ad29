package chaos

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshd/meshd/internal/kafkatest"
	"github.com/meshd/meshd/test/validate"
)

// How long a copy gets to be complete: meshd as it is needs a second, and a mutant that stands still must not take much of the run.
const (
	soundWithin  = 90 * time.Second
	mutantWithin = 10 * time.Second
)

// Each scenario passes with meshd as it is, and validate fails it with each mutation.
func TestMutations(t *testing.T) {
	kafkatest.RealOnly(t, "a broker's followers, and its times of append, are what some of it is about")
	us := startSide(t, "us", 1, nil, false, false)
	eu := startSide(t, "eu", 2, map[string]string{
		"default.replication.factor": "1", "offsets.topic.replication.factor": "1",
		"transaction.state.log.replication.factor": "1", "transaction.state.log.min.isr": "1",
		"replica.lag.time.max.ms": "120000", // a follower that gets nothing stays in sync, so to speak
	}, false, true)
	sound := map[*scenario]bool{}
	for _, m := range mutations {
		if !*every && !m.quick {
			continue
		}
		if !sound[m.scenario] {
			sound[m.scenario] = true
			t.Run(m.scenario.slug(), func(t *testing.T) { passes(t, us, eu, m.scenario) })
		}
		t.Run(m.scenario.slug()+"/"+strings.ReplaceAll(m.Name, " ", "-"), func(t *testing.T) { m.isCaught(t, us, eu) })
	}
}

func (sc *scenario) slug() string { return strings.ReplaceAll(sc.name, " ", "-") }

// passes plays a scenario with meshd as it is.
func passes(t *testing.T, us, eu *side, sc *scenario) {
	s := newStage(t, binary, us, eu, sc)
	sc.play(s)
	report := s.judge(soundWithin)
	if !report.OK() {
		t.Errorf("%s\n%s", report, s.logs())
	}
	note("scenario %-50s %s", sc.name, brief(report.Counts))
}

// isCaught plays the scenario with a mutant.
func (m mutation) isCaught(t *testing.T, us, eu *side) {
	mutant, err := m.Build(root, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := newStage(t, mutant, us, eu, m.scenario)
	m.scenario.play(s)
	report := s.judge(mutantWithin)
	verdict := "caught"
	if !slices.ContainsFunc(m.caught, func(k validate.Kind) bool { return report.Counts[k] > 0 }) {
		verdict = "NOT CAUGHT"
		t.Errorf("not caught: %s: %s\n%s", m.Name, report, s.logs())
	}
	note("mutation %-50s %s: %s", m.Name, verdict, brief(report.Counts))
}
