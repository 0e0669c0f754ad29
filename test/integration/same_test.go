package integration

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/test/validate"
)

// copyOf is one topic and its copy.
type copyOf struct {
	from, to *site
	topic    string
}

func (c copyOf) remote() string { return c.from.alias + "." + c.topic }

// verify waits until n records have arrived and compares both topics: complete, once each, in order, identical.
func (c copyOf) verify(t testing.TB, n int) {
	t.Helper()
	arrived := startWatch(t, c.to, c.remote())
	if saw, ok := poll(t, 2*patience, func() (string, bool) { return arrived.saw(n) }); !ok {
		t.Errorf("waited %s for %s; last seen: %s", 2*patience, c.remote(), saw)
	}
	c.same(t, n)
}

// same compares both topics as they are.
func (c copyOf) same(t testing.TB, n int) {
	t.Helper()
	report, err := validate.Copy(t.Context(), c.from.Client(t), c.to.Client(t), c.topic, c.remote())
	switch {
	case err != nil:
		t.Fatal(err)
	case !report.OK():
		t.Error(report)
	case report.SourceRecords != int64(n):
		t.Errorf("%s holds %d committed records, not %d", c.topic, report.SourceRecords, n)
	}
}

// noLoops looks at the names of all topics.
func noLoops(t testing.TB, sites []*site) {
	t.Helper()
	clients := map[string]*kgo.Client{}
	for _, s := range sites {
		clients[s.alias] = s.Client(t)
	}
	problems, err := validate.Topics(t.Context(), clients, ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Error(p)
	}
}
