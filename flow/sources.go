package flow

import (
	"log/slog"
	"time"

	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/topology"
)

// source is where a topic is read, for what reason, and since when that is so; zero: it was never changed.
type source struct {
	at    topology.Alias
	why   loop.Reason
	since time.Time
}

// took notes which source a topic has, and tells when that is another one than before.
func (r *round) took(topic string, c loop.Choice) {
	was, now := r.sources[topic], source{at: c.Source, why: c.Why}
	if now.since = was.since; was.at != "" && was.at != c.Source {
		now.since = time.Now()
		r.log.Info("another source", slog.String("topic", topic), slog.String("from", string(was.at)), slog.String("to", string(c.Source)), slog.String("why", string(c.Why)))
		r.env.observer.Switched(r.Pair, topic, c.Why)
	}
	r.sources[topic] = now
}
