package writers

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/meshd/meshd/internal/kafkatest"
	"github.com/meshd/meshd/internal/kafkatest/logread"
)

// Writers, point 3: a progress topic that is lost while no node runs is a state with a reason, and never a start from zero.
func TestLostProgress(t *testing.T) {
	kafkatest.RealOnly(t, "the rest of this package is")
	c := plain(t)
	for name, lose := range map[string]func(t *testing.T, progress string){
		"deleted": func(t *testing.T, progress string) {
			_, err := admin(t, c).DeleteTopics(t.Context(), progress)
			must(t, err)
		},
		"emptied": func(t *testing.T, progress string) {
			set(t, c, progress, "cleanup.policy", "delete")
			ends, err := admin(t, c).ListEndOffsets(t.Context(), progress)
			must(t, err)
			rs, err := admin(t, c).DeleteRecords(t.Context(), ends.Offsets())
			must(t, err)
			must(t, rs.Error())
		},
	} {
		t.Run(name, func(t *testing.T) { lostProgress(t, c, name, lose) })
	}
}

func lostProgress(t *testing.T, c *kafkatest.Cluster, origin string, lose func(t *testing.T, progress string)) {
	w := one(t, source(t), c)
	w.origin, w.mesh = origin, "writers-"+origin // a cluster has one alias in a mesh, for good
	topic := w.topics[0]
	f := w.feed(t, topic)
	o := w.start(t, "eu-1")
	o.awaitNext(topic, 0, f.add(100))
	o.Close()
	lose(t, "meshd.progress."+origin)
	f.add(100)
	for _, name := range []string{"eu-1", "eu-2"} {
		heir := w.start(t, name)
		r := heir.awaitSays("resume_point_lost")
		t.Logf("%s says: %s (%s)", name, r.Text, r.Hint)
		heir.Close()
	}
	if n := len(c.ReadAll(t, w.remote(topic), logread.Uncommitted)); n != 100 {
		t.Errorf("the copy has %d records, not the 100 from before", n)
	}
	// As the hint says: the copy is made again, empty.
	_, err := admin(t, c).DeleteTopics(t.Context(), w.remote(topic))
	must(t, err)
	await(t, "the copy to be gone", func() (string, bool) {
		topics, err := admin(t, c).ListTopics(t.Context())
		must(t, err)
		return "", !topics.Has(w.remote(topic))
	})
	_, err = kadm.NewClient(client(t, c)).CreateTopic(t.Context(), 1, 1, nil, w.remote(topic))
	must(t, err)
	heir := w.start(t, "eu-3")
	heir.awaitNext(topic, 0, f.add(100))
	w.same(t, topic)
}
