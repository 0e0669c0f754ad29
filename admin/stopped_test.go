package admin_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/meshd/meshd/admin"
	"github.com/meshd/meshd/admin/admintest"
	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/kafka"
)

// A link of which all topics are stopped has no partitions: it is not up, its lag is not 0, and its RPO grows.
func TestALinkWhoseTopicsAreStoppedIsNotWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := admintest.Spoke(time.Now())
		n.Flow.Pairs[0].Partitions[0].Lag, n.Flow.Pairs[0].Partitions[0].Stats.SourceStable = 0, 1970
		w := admin.NewWatch(n, n)
		w.Look()
		p := &n.Flow.Pairs[0]
		p.Partitions = []flow.PartStatus{}
		for i := range p.Topics {
			p.Topics[i].Reason = new(kafka.Because(kafka.Divergence, "it is compacted", "allow it"))
		}
		time.Sleep(time.Minute)
		l := linkOf(w.Look(), "eu->ap")
		if l.Up || l.LagRecords != nil || l.RPOSeconds == nil || *l.RPOSeconds < 60 || l.Reason == nil || l.Reason.Code != kafka.Divergence {
			t.Errorf("it looks well: %+v", l)
		}
	})
}
