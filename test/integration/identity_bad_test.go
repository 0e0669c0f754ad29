package integration

import (
	"context"
	"encoding/base64"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/internal/kafkatest"
	"github.com/meshd/meshd/internal/kafkatest/logread"
)

// stampOf is the header meshd-origin of a record, version 1, as its format says it (package loop's Header): of incarnation 0, leader
// epoch 0 and an offset below 128.
func stampOf(t testing.TB, clusterID, topic string, partition int32, offset byte) []byte {
	t.Helper()
	h := fnv.New32a()
	_, _ = h.Write([]byte(topic)) // a hash never fails
	stamp := []byte{1}
	if id, err := base64.RawURLEncoding.Strict().DecodeString(clusterID); err == nil && len(id) == 16 {
		stamp = slices.Concat(stamp, []byte{0}, id)
	} else {
		stamp = slices.Concat(stamp, []byte{byte(len(clusterID))}, []byte(clusterID))
	}
	stamp = h.Sum(stamp)
	return append(stamp, 0, 1, byte(partition), offset)
}

// badStamps is a header for each partition, none of which can be one of a record from the site, and what is said of it.
func (c common) badStamps(t testing.TB, from *site) (stamps [][]byte, said []string) {
	t.Helper()
	id := clusterID(t, from)
	good := func(partition int32) []byte { return stampOf(t, id, c.topic, partition, 0) }
	stamps = [][]byte{
		append([]byte{2}, good(0)[1:]...),
		good(1)[:len(good(1))-1],
		append(good(2), 0),
		stampOf(t, "a-cluster-that-nobody-knows", c.topic, 3, 0),
		{},
	}
	return stamps, []string{"stamped by a newer meshd", "bad_header", "bad_header", "wrong_header", "bad_header"}
}

func clusterID(t testing.TB, s *site) string {
	t.Helper()
	id, err := logread.ClusterID(t.Context(), s.Client(t))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// An application writes records with headers of meshd's name that nobody can read, or that name a cluster that nobody knows: they are its
// own records, and arrive everywhere with a header that is right.
func TestIdentityBadHeadersOfAnApplication(t *testing.T) {
	parallel(t)
	sites := shared(t, "us", "eu", "ap")
	us, eu := sites[0], sites[1]
	stamps, _ := common{topic: "x"}.badStamps(t, us)
	c := newCommon(t, int32(len(stamps)), sites...)
	stamps, _ = c.badStamps(t, us)
	newMesh(t, identity("us, eu, ap", c.topic), sites...).startAll(t)
	for i, stamp := range stamps {
		for n, headers := range [][]kgo.RecordHeader{
			{{Key: "meshd-origin", Value: stamp}},
			{{Key: "a", Value: []byte("1")}, {Key: "meshd-origin", Value: stamp}, {Key: "meshd-origin", Value: nil}, {Key: "b"}},
		} {
			produceOne(t, eu, &kgo.Record{Topic: c.topic, Partition: int32(i), Value: fmt.Appendf(nil, "eu|%d/%d", i, n), Headers: headers})
		}
	}
	c.verify(t, map[string]int{"eu": 2 * len(stamps)})
}

// A registered writer's records have such headers: their partitions stop with a reason, and nothing behind them is copied.
func TestIdentityBadHeadersOfAWriter(t *testing.T) {
	parallel(t)
	sites := []*site{own(t, "hub"), own(t, "eu"), own(t, "ap")} // the hub's registry is forged
	hub, eu, ap := sites[0], sites[1], sites[2]
	stamps, said := common{topic: "x"}.badStamps(t, ap)
	c := newCommon(t, int32(len(stamps))+1, sites...)
	stamps, _ = c.badStamps(t, ap)
	m := newMesh(t, around("hub", "eu, ap", c.topic)+"\n    naming: identity", sites...)
	m.startAll(t)
	c.produceAt(t, ap, 300, kafkatest.Workload{Partitions: 1})
	c.awaitArrived(t, eu, "ap", 300)

	writer := c.client(t, hub)
	register(t, hub, writerID(t, writer), "ap", clusterID(t, ap))
	for i, stamp := range stamps {
		produceBy(t, writer, &kgo.Record{
			Partition: int32(i), Value: []byte("forged|1"), Headers: []kgo.RecordHeader{{Key: "meshd-origin", Value: stamp}},
		})
	}
	for i, words := range said {
		m.awaitPartReason(t, "eu-1", "ap->eu", c.topic, int32(i), words)
	}
	good := stampOf(t, clusterID(t, ap), c.topic, int32(len(stamps)), 0)
	produceBy(t, writer, &kgo.Record{
		Partition: int32(len(stamps)), Value: []byte("forged|2"), Headers: []kgo.RecordHeader{{Key: "meshd-origin", Value: good}},
	})
	c.awaitArrived(t, eu, "forged", 1) // what is as it should be goes on: the writer is believed
}

// A producer id is registered for two origins: the link stops, and nothing is believed of it.
func TestIdentityProducerIDOfTwoOrigins(t *testing.T) {
	parallel(t)
	for _, between := range pick([]bool{false, true}, []bool{false}) {
		t.Run(fmt.Sprintf("read-between-%t", between), func(t *testing.T) {
			parallel(t)
			sites := []*site{own(t, "us"), own(t, "eu")}
			us := sites[0]
			c := newCommon(t, 1, sites...)
			m := newMesh(t, identity("us, eu", c.topic), sites...)
			m.startAll(t)
			c.produceAt(t, us, 100, kafkatest.Workload{Partitions: 1})
			c.awaitArrived(t, sites[1], "us", 100)
			writer := c.client(t, us)
			id := writerID(t, writer)
			register(t, us, id, "ap", "one-cluster")
			if between {
				produceBy(t, c.client(t, us), &kgo.Record{Value: []byte("us|has the registry read")})
				c.awaitArrived(t, sites[1], "us", 101)
			}
			register(t, us, id, "sa", "another-cluster")
			produceBy(t, writer, &kgo.Record{Value: []byte("forged|1")})
			produceBy(t, c.client(t, us), &kgo.Record{Value: []byte("us|behind it")})
			p := m.awaitReason(t, "eu-1", "registry_lost", "two origins")
			t.Logf("it said: %s (%s)", p.Text, p.Hint)
		})
	}
}

// client writes to the topic, into partitions by number.
func (c common) client(t testing.TB, s *site) *kgo.Client {
	t.Helper()
	return s.Client(t, kgo.DefaultProduceTopic(c.topic), kgo.RecordPartitioner(kgo.ManualPartitioner()))
}

func produceBy(t testing.TB, client *kgo.Client, r *kgo.Record) {
	t.Helper()
	if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

func writerID(t testing.TB, client *kgo.Client) int64 {
	t.Helper()
	id, _, err := client.ProducerID(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// register has a producer id in the registry of writers of a site, as one that writes an origin's records, of a shard that there is not.
func register(t *testing.T, s *site, id int64, origin, originID string) {
	t.Helper()
	value := fmt.Sprintf(`{"v":1,"cluster_id":%q,"origin":%q,"origin_id":%q,"shard":99,"epoch":0,"node":"forger","held":1,"at":1}`, clusterID(t, s), origin, originID)
	produceOne(t, s, &kgo.Record{Topic: "meshd.writers", Key: []byte(strconv.FormatInt(id, 10)), Value: []byte(value)})
}

// awaitArrived waits until so many records that name a home are at a site.
func (c common) awaitArrived(t testing.TB, at *site, home string, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	y := startTally(t, at, c.topic)
	await(t, fmt.Sprintf("%d records of %s at %s", n, home, at.alias), func() (string, bool) {
		return strconv.Itoa(y.of(home)), y.of(home) >= n && ctx.Err() == nil
	})
}

// awaitPartReason waits until a node says something of one partition.
func (m *mesh) awaitPartReason(t testing.TB, node, link, topic string, partition int32, words string) {
	t.Helper()
	await(t, fmt.Sprintf("%q of %s/%d over %s at %s", words, topic, partition, link, node), func() (string, bool) {
		var saw []string
		for _, f := range m.flows(t, node) {
			for _, p := range f.Parts {
				if f.Link == link && f.Topic == topic && strings.Contains(string(p), fmt.Sprintf(`"partition":%d,`, partition)) {
					saw = append(saw, string(p))
				}
			}
		}
		all := strings.Join(saw, "\n")
		return all, strings.Contains(all, words)
	})
}
