package flow_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/topology"
)

// What can't be read at the nearest source is taken from another one that has it, though the policy would have it stepped over.
func TestWhatIsDamagedIsAskedOfOthers(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	w := joined(ctx, t, []topology.Alias{"a", "b", "c"}, `between: [a, b, c], on_gap: continue, topics: {include: ["logs"]}`)
	src := client(t, w.clusters["a"].ListenAddrs(), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0), kgo.ProducerBatchCompression(kgo.NoCompression()))
	create(ctx, t, src, "logs", 1)
	d := &damaged{}
	for i := range 3 {
		produce(ctx, t, src, "logs", 1, 10*i, 10*i+10)
		d.batches = append(d.batches, oneBatch(t, 10*i, w.clusters["a"].PartitionInfo("logs", 0).Epoch))
	}
	hold := func(at topology.Alias, from ...topology.Alias) {
		var held []flow.Held
		for _, o := range from {
			held = append(held, all(o, at, 1)...)
		}
		if err := w.nodes[at].Apply(w.top, held); err != nil {
			t.Fatal(err)
		}
	}
	hold("b", "a")
	records(ctx, t, w.clusters["b"].ListenAddrs(), "a.logs", 30)
	damages["a flipped bit"](d.batches[1])
	d.serve(w.clusters["a"], "logs")
	hold("c", "a")
	got := records(ctx, t, w.clusters["c"].ListenAddrs(), "a.logs", 20)[0]
	if got[10] != "10" {
		t.Fatalf("behind %s came %s", got[9], got[10])
	}
	if got = records(ctx, t, w.clusters["c"].ListenAddrs(), "a.logs", 30)[0]; got[29] != "29" {
		t.Fatalf("arrived: %s", got)
	}
}
