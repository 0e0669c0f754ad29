package flow_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/checkpoint/rebuild"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// rebuild runs the command's work at a cluster.
func (w *world) rebuild(ctx context.Context, t *testing.T, at topology.Alias, dry bool) (rebuild.Report, error) {
	t.Helper()
	return rebuild.Run(ctx, rebuild.Config{Cluster: w.dial(t, at), Topology: w.top, Dial: w.dialer(at), DryRun: dry})
}

// mustRebuild does it dry, in earnest and again: what is written is what was said before, and nothing the second time.
func (w *world) mustRebuild(ctx context.Context, t *testing.T, at topology.Alias) rebuild.Report {
	t.Helper()
	var all []rebuild.Report
	for _, dry := range []bool{true, false, false} {
		r, err := w.rebuild(ctx, t, at, dry)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	if diff := cmp.Diff(all[0].Writers, all[1].Writers); diff != "" {
		t.Errorf("the dry run says of writers:\n%s", diff)
	}
	if diff := cmp.Diff(all[0].Unknown, all[1].Unknown); diff != "" {
		t.Errorf("the dry run says of what is unknown:\n%s", diff)
	}
	if again := all[2]; again.Changed() || slices.ContainsFunc(again.Readers, func(r rebuild.Reader) bool { return r.Told }) {
		t.Errorf("a second run changes something: %+v", again)
	}
	return all[1]
}

func (w *world) restart(t *testing.T, a topology.Alias, epoch uint64) {
	t.Helper()
	w.renew(t, a)
	w.runAt(t, a, epoch)
}

func deleteTopics(ctx context.Context, t *testing.T, w *world, at topology.Alias, topics ...string) {
	t.Helper()
	if _, err := kadm.NewClient(w.clients[at]).DeleteTopics(ctx, topics...); err != nil {
		t.Fatal(err)
	}
}

// A registration is gone, and the link that met it stands. Rebuilt from the writer's own ledgers, it goes on without a restart: all
// arrives, and once.
func TestRebuiltRegistration(t *testing.T) {
	for _, naming := range []string{"identity", "prefix"} {
		t.Run(naming, func(t *testing.T) {
			t.Parallel()
			rebuiltRegistration(t, naming)
		})
	}
}

func rebuiltRegistration(t *testing.T, naming string) {
	ctx := deadline(t)
	link := `topics: {include: ["orders"]}, naming: ` + naming
	w := joined(ctx, t, []topology.Alias{"a", "b", "c"}, "between: [a, b], "+link, "between: [b, c], "+link)
	w.write(ctx, t, 0, 50)
	w.runAt(t, "a", 1)
	w.runAt(t, "b", 1)
	copied := "orders"
	if naming == "prefix" {
		copied = "a.orders"
	}
	records(ctx, t, w.clusters["b"].ListenAddrs(), copied, 50)
	keys, _ := w.unregister(ctx, t, "b", "a", topology.ShardOf("orders", 0))
	w.runAt(t, "c", 1)
	_ = w.reason(ctx, t, "c", 0, kafka.RegistryLost)
	w.nodes["b"].Close()
	r := w.mustRebuild(ctx, t, "b")
	if len(r.Writers) != 1 || strconv.FormatInt(r.Writers[0].ID, 10) != string(keys[0]) || r.Writers[0].Proof != "ledger" || len(r.Topics) != 0 || r.NewTopics || r.NewWriter {
		t.Errorf("rebuilt: %+v", r)
	}
	w.restart(t, "b", 2)
	w.arrivedAs(ctx, t, naming, 50)
	w.write(ctx, t, 50, 60)
	w.arrivedAs(ctx, t, naming, 60)
}

// arrivedAs checks that n records of each origin are everywhere.
func (w *world) arrivedAs(ctx context.Context, t *testing.T, naming string, n int) {
	t.Helper()
	if naming == "identity" {
		w.check(ctx, t, n)
		return
	}
	for _, at := range w.names {
		for _, o := range w.names {
			if o != at {
				inOrder(ctx, t, w, at, o, n)
			}
		}
	}
}

// Both registries are gone, while a reader runs on.
func TestRebuiltRegistries(t *testing.T) {
	for _, naming := range []string{"identity", "prefix"} {
		for _, lost := range [][]string{{checkpoint.TopicsTopic}, {checkpoint.WritersTopic}, {checkpoint.TopicsTopic, checkpoint.WritersTopic}} {
			t.Run(fmt.Sprint(naming, lost), func(t *testing.T) {
				t.Parallel()
				ctx := deadline(t)
				link := `topics: {include: ["orders"]}, naming: ` + naming
				w := joined(ctx, t, []topology.Alias{"a", "b", "c"}, "between: [a, b], "+link, "between: [b, c], "+link)
				w.write(ctx, t, 0, 50)
				w.run(t, 1)
				w.arrivedAs(ctx, t, naming, 50)
				w.nodes["b"].Close()
				deleteTopics(ctx, t, w, "b", lost...)
				r := w.mustRebuild(ctx, t, "b")
				if r.NewTopics != slices.Contains(lost, checkpoint.TopicsTopic) || r.NewWriter != (len(lost) == 2 || lost[0] == checkpoint.WritersTopic || r.NewTopics) {
					t.Errorf("rebuilt: %+v", r)
				}
				if r.NewTopics && len(r.Topics) != 2 { // of a and c
					t.Errorf("topics: %+v", r.Topics)
				}
				for _, reader := range r.Readers {
					if reader.Told != r.NewTopics || reader.Why != "" {
						t.Errorf("reader %+v", reader)
					}
				}
				w.restart(t, "b", 2)
				w.write(ctx, t, 50, 70)
				w.arrivedAs(ctx, t, naming, 70)
			})
		}
	}
}

// While a node gives signs of life there, nothing is rebuilt.
func TestRebuildRefused(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	w := chain(ctx, t)
	w.runAt(t, "b", 1)
	w.write(ctx, t, 0, 10)
	w.arrived(ctx, t, "b", "a", 10)
	w.nodes["b"].Close()
	c := w.dial(t, "b")
	beats, stop := context.WithCancel(ctx)
	done, lives := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		live := sync.OnceFunc(func() { close(lives) })
		for n := uint64(0); beats.Err() == nil; n++ {
			if checkpoint.WriteBeat(beats, c, checkpoint.Beat{Node: "b-1", Count: n}) == nil {
				live()
			}
			_ = kafka.Sleep(beats, 200*time.Millisecond)
		}
	}()
	select {
	case <-lives:
	case <-ctx.Done():
		t.Fatal("no sign of life is written")
	}
	_, err := w.rebuild(ctx, t, "b", false)
	stop()
	<-done
	var running *rebuild.RunningError
	if !errors.As(err, &running) || !slices.Equal(running.Nodes, []string{"b-1"}) {
		t.Fatalf("%v", err)
	}
	if _, err := w.rebuild(ctx, t, "b", false); err != nil {
		t.Errorf("it has stopped: %v", err)
	}
}
