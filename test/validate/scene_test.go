package validate

import (
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/internal/kafkatest"
	"github.com/meshd/meshd/internal/kafkatest/logread"
)

// scene is a shared topic as it ought to be left, made by hand: what three clusters hold, and what they come to hold by a mistake.
type scene struct {
	clusters  map[string]*kafkatest.Cluster
	ids       map[string]string
	topic     string
	unstamped bool
	logs      map[string][]*kgo.Record // by cluster, in the order in which they are produced
}

var places = []string{"ap", "eu", "us"}

// Each cluster has own records, of which so many come first, then as many of each other's, then its own rest, and then that of others.
// So its own have places that do not depend on what is changed in the tail.
const (
	ownRecords = 100
	ownFirst   = 30
	tail       = 2*ownFirst + ownRecords // where in each log that begins
)

type item struct {
	home string
	i    int
}

func newScene(t *testing.T, unstamped bool) *scene {
	t.Helper()
	s := &scene{clusters: map[string]*kafkatest.Cluster{}, ids: map[string]string{}, logs: map[string][]*kgo.Record{}}
	s.topic, s.unstamped = kafkatest.UniqueTopic(t, "orders"), unstamped
	own, start := map[string][]*kgo.Record{}, time.Now()
	for i, at := range places {
		s.clusters[at] = kafkatest.Shared(t, at)
		s.clusters[at].CreateTopic(t, s.topic, partitions)
		id, err := logread.ClusterID(t.Context(), s.clusters[at].Client(t))
		if err != nil {
			t.Fatal(err)
		}
		s.ids[at] = id
		w := kafkatest.Workload{Seed: uint64(10 * i), Partitions: partitions, Start: start, At: at}
		for n := range ownRecords {
			own[at] = append(own[at], w.Record(n))
		}
	}
	s.fill(own)
	return s
}

// fill lays out the logs. Where each record is at home has to be known before it can be copied.
func (s *scene) fill(own map[string][]*kgo.Record) {
	layout, at := map[string][]item{}, map[item]int64{}
	for _, place := range places {
		layout[place] = layoutOf(place)
		var next [partitions]int64
		for _, it := range layout[place] {
			p := own[it.home][it.i].Partition
			if it.home == place {
				at[it] = next[p]
			}
			next[p]++
		}
	}
	for place, items := range layout {
		for _, it := range items {
			r := own[it.home][it.i]
			if it.home != place {
				r = s.copied(r, it.home, at[it])
			}
			s.logs[place] = append(s.logs[place], r)
		}
	}
}

func layoutOf(place string) (items []item) {
	add := func(home string, from, to int) {
		for i := from; i < to; i++ {
			items = append(items, item{home, i})
		}
	}
	others := slices.DeleteFunc(slices.Clone(places), func(p string) bool { return p == place })
	add(place, 0, ownFirst)
	add(others[0], 0, ownFirst)
	add(others[1], 0, ownFirst)
	add(place, ownFirst, ownRecords)
	add(others[0], ownFirst, ownRecords)
	add(others[1], ownFirst, ownRecords)
	return items
}

// copied is a record on its way from its home, where it is at an offset.
func (s *scene) copied(r *kgo.Record, home string, offset int64) *kgo.Record {
	out := *r
	out.Headers = slices.Clone(r.Headers)
	if !s.unstamped {
		out.Headers, _ = splitLabel(out.Headers)
		out.Headers = append(slices.Clone(out.Headers), s.stamp(birth{cluster: s.ids[home], topic: topicHash(s.topic), partition: r.Partition, offset: offset}))
	}
	return &out
}

func (s *scene) stamp(at birth) kgo.RecordHeader {
	return kgo.RecordHeader{Key: originHeader, Value: at.write()}
}

// where is the place, in the tail of a cluster's log, of the n-th record of an origin that has a value of some length and fits.
func (s *scene) where(at, home string, n int, fits func(*kgo.Record) bool) int {
	for i := tail; i < len(s.logs[at]); i++ {
		if r := s.logs[at][i]; kafkatest.HomeOf(r.Key, r.Value) == home && len(r.Value) > 20 && fits(r) {
			if n--; n < 0 {
				return i
			}
		}
	}
	panic("the tail has too few of them")
}

// find is where for partition 0.
func (s *scene) find(at, home string, n int) int {
	return s.where(at, home, n, func(r *kgo.Record) bool { return r.Partition == 0 })
}

// after is the place of the next record of the same origin in the same partition.
func (s *scene) after(at string, i int) int {
	one := s.logs[at][i]
	return i + 1 + slices.IndexFunc(s.logs[at][i+1:], func(r *kgo.Record) bool {
		return r.Partition == one.Partition && kafkatest.HomeOf(r.Key, r.Value) == kafkatest.HomeOf(one.Key, one.Value)
	})
}

// change replaces a record by another one.
func (s *scene) change(at string, i int, edit func(r *kgo.Record)) {
	r := *s.logs[at][i]
	r.Headers = slices.Clone(r.Headers)
	edit(&r)
	s.logs[at][i] = &r
}

// append adds a record behind all others, and returns its offset.
func (s *scene) append(at string, r *kgo.Record) (offset int64) {
	for _, other := range s.logs[at] {
		if other.Partition == r.Partition {
			offset++
		}
	}
	s.logs[at] = append(s.logs[at], r)
	return offset
}

func (s *scene) produce(t *testing.T) {
	t.Helper()
	for _, at := range places {
		produce(t, s.clusters[at], s.topic, s.logs[at])
	}
}

func (s *scene) shared(t *testing.T) SharedTopic {
	t.Helper()
	clients := map[string]*kgo.Client{}
	for at, c := range s.clusters {
		clients[at] = c.Client(t)
	}
	return SharedTopic{Name: s.topic, Clusters: clients, Home: kafkatest.HomeOf, Unstamped: s.unstamped}
}

func (s *scene) judge(t *testing.T) SharedReport {
	t.Helper()
	report, err := Shared(t.Context(), s.shared(t))
	if err != nil {
		t.Fatal(err)
	}
	return report
}
