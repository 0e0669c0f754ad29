package flow_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// world is clusters with a node each, joined by links with identity naming.
type world struct {
	names    []topology.Alias
	clusters map[topology.Alias]*kfake.Cluster
	clients  map[topology.Alias]*kgo.Client
	nodes    map[topology.Alias]*flow.Manager
	top      *topology.Topology
	text     string // of all topologies, but for links
}

// joined makes a world of which each link is lines of a topology.
func joined(ctx context.Context, t *testing.T, names []topology.Alias, links ...string) *world {
	t.Helper()
	w := &world{names: names, clusters: map[topology.Alias]*kfake.Cluster{}, clients: map[topology.Alias]*kgo.Client{}, nodes: map[topology.Alias]*flow.Manager{}}
	var clusters, nodes strings.Builder
	for i, a := range names {
		w.clusters[a] = fake(t)
		w.clients[a] = client(t, w.clusters[a].ListenAddrs(), kgo.RecordPartitioner(kgo.ManualPartitioner()))
		fmt.Fprintf(&clusters, "  %s: {bootstrap: [%q]}\n", a, w.clusters[a].ListenAddrs()[0])
		fmt.Fprintf(&nodes, "  %s-1: {datacenter: %s, address: 127.0.0.%d}\n", a, a, i+1)
	}
	w.text = "mesh: test\nintervals: {discovery: 200ms, progress: 200ms}\nclusters:\n" + clusters.String() + "nodes:\n" + nodes.String()
	w.parse(t, 1, links)
	for _, a := range names {
		create(ctx, t, w.clients[a], "orders", 2)
		w.nodes[a] = manager(t, string(a))
	}
	return w
}

// run has each node hold all that comes to its cluster.
func (w *world) run(t *testing.T, epoch uint64) {
	t.Helper()
	for _, a := range w.names {
		w.runAt(t, a, epoch)
	}
}

// runAt has one node hold all that comes to its cluster.
func (w *world) runAt(t *testing.T, a topology.Alias, epoch uint64) {
	t.Helper()
	var held []flow.Held
	for _, o := range w.names {
		if o != a {
			held = append(held, all(o, a, epoch)...)
		}
	}
	if err := w.nodes[a].Apply(w.top, held); err != nil {
		t.Fatal(err)
	}
}

// renew ends nodes, and has others in their place that hold nothing yet.
func (w *world) renew(t *testing.T, at ...topology.Alias) {
	t.Helper()
	for _, a := range at {
		w.nodes[a].Close()
		w.nodes[a] = manager(t, string(a))
	}
}

// dialer reaches clusters as a command does that works at one of them.
func (w *world) dialer(at topology.Alias) func(topology.Alias) (*kafka.Cluster, error) {
	d := &kafka.Dialer{Datacenter: string(at), ClientID: "test"}
	return func(a topology.Alias) (*kafka.Cluster, error) {
		return d.Dial(w.top.Clusters[a], checkpoint.TableWriter()...)
	}
}

// dial reaches a cluster as a command does that works there.
func (w *world) dial(t *testing.T, at topology.Alias) *kafka.Cluster {
	t.Helper()
	c, err := w.dialer(at)(at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// write produces records everywhere that say where they come from.
func (w *world) write(ctx context.Context, t *testing.T, from, to int) {
	t.Helper()
	for _, a := range w.names {
		w.writeAt(ctx, t, a, from, to)
	}
}

func (w *world) writeAt(ctx context.Context, t *testing.T, a topology.Alias, from, to int) {
	t.Helper()
	w.put(ctx, t, a, string(a), from, to, kgo.RecordHeader{Key: "h", Value: []byte("x")})
}

// put produces the records from..to-1 of a series at a cluster.
func (w *world) put(ctx context.Context, t *testing.T, a topology.Alias, series string, from, to int, headers ...kgo.RecordHeader) {
	t.Helper()
	for i := from; i < to; i++ {
		r := &kgo.Record{Topic: "orders", Partition: int32(i % 2), Key: []byte(series + "/" + strconv.Itoa(i)), Value: []byte("v"), Headers: slices.Clone(headers)}
		w.clients[a].Produce(ctx, r, func(_ *kgo.Record, err error) {
			if err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		})
	}
	if err := w.clients[a].Flush(ctx); err != nil {
		t.Fatal(err)
	}
}

// check reads n records of each origin at each cluster, and a moment longer: each once, in their order, with a header if they came from
// elsewhere.
func (w *world) check(ctx context.Context, t *testing.T, n int) {
	t.Helper()
	for _, a := range w.names {
		got := map[string]int{}
		cl := client(t, w.clusters[a].ListenAddrs(), kgo.ConsumeTopics("orders"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
		for total := 0; total < n*len(w.names); {
			fs := cl.PollFetches(ctx)
			if ctx.Err() != nil {
				t.Fatalf("at %s: %d of %d records arrived: %v; %s", a, total, n*len(w.names), got, w.reasons(a))
			}
			fs.EachRecord(func(r *kgo.Record) {
				total++
				w.see(t, a, got, r)
			})
		}
		more, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
		cl.PollFetches(more).EachRecord(func(r *kgo.Record) { t.Errorf("at %s: %s came too much", a, r.Key) })
		cancel()
	}
}

func (w *world) see(t *testing.T, at topology.Alias, got map[string]int, r *kgo.Record) {
	origin, number, _ := strings.Cut(string(r.Key), "/")
	key := fmt.Sprintf("%s/%d", origin, r.Partition)
	if i, err := strconv.Atoi(number); err != nil || i != got[key]*2+int(r.Partition) {
		t.Errorf("at %s: %s came as the %d. of its partition", at, r.Key, got[key])
	}
	got[key]++
	stamps := slices.DeleteFunc(slices.Clone(r.Headers), func(h kgo.RecordHeader) bool { return h.Key != "meshd-origin" })
	if want := origin != string(at); len(stamps) > 1 || want != (len(stamps) == 1) || len(r.Headers)-len(stamps) != 1 {
		t.Errorf("at %s: %s has %d of meshd's headers, of %d", at, r.Key, len(stamps), len(r.Headers))
	}
}

func (w *world) reasons(a topology.Alias) (out []string) {
	for _, p := range w.nodes[a].Status().Pairs {
		if p.Reason != nil {
			out = append(out, p.Reason.Error())
		}
		for _, x := range p.Partitions {
			out = append(out, fmt.Sprintf("%s->%s %s/%d: %s next %d end %d lag %d, %v", p.Source, p.Destination, x.Topic, x.Partition, x.State, x.Next, x.End, x.Lag, x.Reason))
		}
	}
	return out
}

const identity = `naming: identity, topics: {include: ["orders"]}`

func TestIdentityOnGraphs(t *testing.T) {
	for name, links := range map[string][]string{
		"a pair":         {"between: [a, b], " + identity},
		"a mesh":         {"between: [a, b, c], " + identity},
		"hub and spokes": {"between: {hub: a, spokes: [b, c, d]}, " + identity},
		"a chain":        {"between: [a, b], " + identity, "between: [b, c], " + identity},
		"a ring one way": {"from: [a], to: [b], " + identity, "from: [b], to: [c], " + identity, "from: [c], to: [a], " + identity},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := deadline(t)
			names := []topology.Alias{"a", "b", "c", "d"}
			n := 2
			for i, a := range names {
				if strings.Contains(strings.Join(links, "\n")+",", string(a)+",") || strings.Contains(strings.Join(links, "\n"), string(a)+"]") {
					n = max(n, i+1)
				}
			}
			w := joined(ctx, t, names[:n], links...)
			w.write(ctx, t, 0, 100)
			w.run(t, 1)
			w.write(ctx, t, 100, 200)
			w.check(ctx, t, 200)
			w.renew(t, w.names...)
			w.write(ctx, t, 200, 250)
			w.run(t, 2)
			w.check(ctx, t, 250)
		})
	}
}

// With prefix naming a copy is named after its origin, however many hops it came.
func TestPrefixOverAHub(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	prefix := `topics: {include: ["orders"]}`
	w := joined(ctx, t, []topology.Alias{"a", "b", "c"}, "between: {hub: b, spokes: [a, c]}, "+prefix)
	w.write(ctx, t, 0, 100)
	w.run(t, 1)
	w.write(ctx, t, 100, 200)
	ends := func(n int) {
		for at, origin := range map[topology.Alias]topology.Alias{"a": "c", "c": "a"} {
			inOrder(ctx, t, w, at, origin, n)
		}
	}
	ends(200)
	w.renew(t, w.names...)
	w.write(ctx, t, 200, 300)
	w.run(t, 2)
	ends(300)
}

// The source of an origin's records changes in mid-stream: from the origin to another cluster that has them, to a third, and back.
func TestAnotherSourceGoesOnFromTheFrontier(t *testing.T) {
	for _, naming := range []string{"identity", "prefix"} {
		t.Run(naming, func(t *testing.T) {
			t.Parallel()
			ctx := deadline(t)
			link := `topics: {include: ["orders"]}, naming: ` + naming
			w := joined(ctx, t, []topology.Alias{"a", "b", "c", "d"}, "between: [a, b, c, d], "+link)
			arrived := func(n int) {
				if naming == "identity" {
					w.check(ctx, t, n)
					return
				}
				for _, a := range w.names {
					for _, o := range w.names {
						if a != o {
							inOrder(ctx, t, w, a, o, n)
						}
					}
				}
			}
			w.write(ctx, t, 0, 50)
			w.run(t, 1)
			arrived(50)
			for i, links := range [][]string{
				{"from: [a], to: [c], " + link, "between: [b, c], " + link, "between: [b, d], " + link, "from: [b, c, d], to: [a], " + link},
				{"between: {hub: d, spokes: [a, b, c]}, " + link},
				{"between: [a, b, c, d], " + link},
			} {
				w.write(ctx, t, 50*(i+1), 50*(i+1)+25)
				w.relink(t, links...)
				w.run(t, uint64(i+2))
				w.write(ctx, t, 50*(i+1)+25, 50*(i+2))
				arrived(50 * (i + 2))
			}
		})
	}
}

// relink gives the world other links.
func (w *world) relink(t *testing.T, links ...string) {
	t.Helper()
	w.parse(t, w.top.Version+1, links)
}

func (w *world) parse(t *testing.T, version int64, links []string) {
	t.Helper()
	text := fmt.Sprintf("version: %d\n%slinks:\n  - {%s}\n", version, w.text, strings.Join(links, "}\n  - {"))
	var err error
	if w.top, err = topology.Parse("test.yaml", []byte(text)); err != nil {
		t.Fatal(err)
	}
}

// inOrder reads n records of one origin's copy at a cluster.
func inOrder(ctx context.Context, t *testing.T, w *world, at, origin topology.Alias, n int) {
	t.Helper()
	for p, keys := range records(ctx, t, w.clusters[at].ListenAddrs(), string(origin)+".orders", n) {
		for i, k := range keys {
			if want := string(origin) + "/" + strconv.Itoa(2*i+int(p)); k != want {
				t.Fatalf("at %s: %s came as the %d. of its partition, want %s", at, k, i, want)
			}
		}
	}
}
