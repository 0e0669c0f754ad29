package groups

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"

	"github.com/meshd/meshd/internal/kafkatest"
)

// owner runs the tests with the clusters that they share.
type owner struct{ m *testing.M }

func (o owner) Run() int { return kafkatest.Main(o.m) }

func TestMain(m *testing.M) { goleak.VerifyTestMain(owner{m}) }

// env is a cluster for one test, with its own topics and groups in it.
type env struct {
	*testing.T
	seeds  []string
	fake   *kfake.Cluster // of newFake
	cl     *kgo.Client
	adm    *kadm.Client
	c      *Cluster
	prefix string
	topic  string // eight partitions
	own    string // for meshd's records
}

// real says whether the broker is Apache Kafka's own.
func (e *env) real() bool { return e.fake == nil && kafkatest.Real() }

// group returns a name of this test's own, for clusters are shared.
func (e *env) group(name string) string { return e.prefix + name }

// newEnv runs the test on kfake, or on real Kafka if MESHD_TEST_KAFKA=real.
func newEnv(t *testing.T) *env {
	t.Helper()
	return prepare(&env{T: t, seeds: kafkatest.Shared(t, "groups").Bootstrap()})
}

// newFake runs the test on kfake, whatever the backend: it needs faults that real brokers have not at will, or old versions.
func newFake(t *testing.T, opts ...kfake.Opt) *env {
	t.Helper()
	fake, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	return prepare(&env{T: t, seeds: fake.ListenAddrs(), fake: fake})
}

func prepare(e *env) *env {
	e.prefix = fmt.Sprintf("t%x.", time.Now().UnixNano())
	e.topic, e.own = e.prefix+"orders", e.prefix+"meshd.groups"
	e.cl = e.client()
	e.adm = kadm.NewClient(e.cl)
	e.c = New(e.cl, 5*time.Second)
	e.create(8, e.topic)
	e.create(1, e.own)
	e.until("the cluster has made its offsets topic", func() bool {
		_, failed := e.c.find(e.ctx(), ofGroup, []string{"any"})
		return len(failed) == 0
	})
	return e
}

func (e *env) create(partitions int32, topic string) {
	e.Helper()
	if _, err := e.adm.CreateTopic(e.ctx(), partitions, -1, nil, topic); err != nil {
		e.Fatal(err)
	}
	e.until("topic "+topic+" is there", func() bool {
		md, err := e.adm.Metadata(e.ctx(), topic)
		return err == nil && md.Topics[topic].Err == nil && len(md.Topics[topic].Partitions) == int(partitions)
	})
}

// until waits for a condition that a broker brings about in its own time.
func (e *env) until(what string, cond func() bool) {
	e.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	for !cond() {
		select {
		case <-ctx.Done():
			e.Fatalf("waited in vain until %s", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (e *env) client(opts ...kgo.Opt) *kgo.Client {
	e.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(e.seeds...), kgo.MetadataMinAge(50 * time.Millisecond),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
	}, opts...)...)
	if err != nil {
		e.Fatal(err)
	}
	e.Cleanup(cl.Close)
	return cl
}

func (e *env) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	e.Cleanup(cancel)
	return ctx
}

func (e *env) placer(name string) *Placer {
	e.Helper()
	p, err := e.c.OpenPlacer(e.ctx(), e.prefix+name, e.own)
	if err != nil {
		e.Fatal(err)
	}
	return p
}

// to places a group in partition 0 of the test's topic.
func (e *env) to(group string, before Commit, offset int64) Placement {
	return Placement{
		Group:  e.group(group),
		Places: []Place{{Partition: Partition{e.topic, 0}, Before: before, Offset: offset, Metadata: "m"}},
		Record: &Record{Key: []byte(e.group(group)), Value: fmt.Append(nil, offset)},
	}
}

func at(offset int64) Commit { return Commit{Offset: offset, LeaderEpoch: -1} }

// assigned commits as a consumer does that only assigns: no member, no generation.
func (e *env) assigned(group string, offset int64) {
	e.Helper()
	var os kadm.Offsets
	os.AddOffset(e.topic, 0, offset, -1)
	if err := e.adm.CommitAllOffsets(e.ctx(), e.group(group), os); err != nil {
		e.Fatal(err)
	}
}

// stands waits until partition 0 shows a commit: the outcome of a transaction is decided first and written a little later.
func (e *env) stands(group string, want Commit) {
	e.Helper()
	at := Partition{e.topic, 0}
	e.until(fmt.Sprintf("group %s stands at %v", group, want), func() bool {
		got, ok := e.c.Commits(e.ctx(), []string{e.group(group)})[e.group(group)].Commits[at]
		return e.stable(group) && (got == want || !ok && want == NoCommit)
	})
}

// stable says whether no commit of the group is pending.
func (e *env) stable(group string) bool {
	e.Helper()
	req := kmsg.NewPtrOffsetFetchRequest()
	req.RequireStable = true
	g := kmsg.NewOffsetFetchRequestGroup()
	g.Group = e.group(group)
	g.Topics = []kmsg.OffsetFetchRequestGroupTopic{{Topic: e.topic, Partitions: []int32{0}}}
	req.Groups = append(req.Groups, g)
	coordinators, _ := e.c.find(e.ctx(), ofGroup, []string{g.Group})
	resp, err := ask[*kmsg.OffsetFetchResponse](e.ctx(), e.c, coordinators[g.Group], offsetFetch{req})
	if err != nil {
		e.Fatal(err)
	}
	for _, t := range resp.Groups[0].Topics {
		for _, p := range t.Partitions {
			if p.ErrorCode != 0 {
				return false
			}
		}
	}
	return true
}

// records reads what stands in meshd's own topic, committed, up to its end.
func (e *env) records() (out []string) {
	e.Helper()
	ends, err := e.adm.ListEndOffsets(e.ctx(), e.own)
	if err != nil {
		e.Fatal(err)
	}
	end, _ := ends.Lookup(e.own, 0)
	cl := e.client(kgo.ConsumeTopics(e.own), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer cl.Close()
	for next := int64(0); next < end.Offset; {
		fs := cl.PollFetches(e.ctx())
		if err := fs.Err(); err != nil {
			e.Fatal(err)
		}
		fs.EachRecord(func(r *kgo.Record) {
			next = r.Offset + 1
			if !r.Attrs.IsControl() {
				out = append(out, string(r.Key)+"="+string(r.Value))
			}
		})
	}
	return out
}

func outcomes(rs []Result) map[Outcome]int {
	out := make(map[Outcome]int)
	for _, r := range rs {
		out[r.Outcome]++
	}
	return out
}

// one asserts what became of the only placement of a call.
func (e *env) one(rs []Result, err error, want Outcome) Result {
	e.Helper()
	if len(rs) != 1 || rs[0].Outcome != want {
		e.Fatalf("got %+v, error %v, want %v", rs, err, want)
	}
	return rs[0]
}
