package flow

import (
	"errors"
	"fmt"
	"time"

	"github.com/meshd/meshd/kafka"
)

// again says when a partition that did not open is tried the next time.
type again struct {
	spec  Spec
	at    time.Time
	tries int
}

// due says whether a partition may be tried now: never failed, waited long enough, or given anew in another form.
func (l *life) due(key string, spec Spec) bool {
	a, ok := l.later[key]
	return !ok || a.spec != spec || !time.Now().Before(a.at)
}

const blockMost = 15 * time.Second

// block sets a partition apart, from one second on up to blockMost.
func (l *life) block(key string, spec Spec, err error) {
	a := l.later[key]
	if a.spec != spec {
		a = again{spec: spec}
	}
	if !errors.Is(err, errStillReading) { // that one goes on where it was
		a.at, a.tries = time.Now().Add(min(time.Second<<min(a.tries, 4), blockMost)), a.tries+1
	}
	l.later[key] = a
	l.mu.Lock()
	l.blocked[key] = openReason(err)
	l.mu.Unlock()
}

// place finds where a wanted partition lies; it is called with the lock held.
func (l *life) place(todo map[kafka.Partition]*opening, key string, spec Spec) {
	at, ok := l.dst.Dir.Get(spec.Remote, spec.Number)
	switch {
	case !ok:
		l.blocked[key] = kafka.Because(kafka.DestinationMissing, fmt.Sprintf("partition %d of %s is not there yet", spec.Number, spec.Remote),
			"it comes by itself, unless sync.partitions is off: then add it at the destination")
		l.dst.Dir.Stale()
	case at.Leader < 0:
		l.blocked[key] = kafka.Because(kafka.NoLeader, fmt.Sprintf("%s has no leader at the destination", at), "start the brokers that hold it")
		l.dst.Dir.Stale()
	default:
		todo[at] = &opening{spec: spec, count: -1}
	}
}

func openReason(err error) kafka.Reason {
	r := kafka.Explain(err, kafka.NotFenced)
	if r.Hint == "" {
		r.Hint = "it is tried again; if it stays, see the logs of the destination's brokers that lead this partition and meshd's transactional id"
	}
	return r
}
