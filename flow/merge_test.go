package flow_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/flow"
)

// A producer that sends each record in a batch of its own: the backlog goes out in a few merged batches, whatever the codec.
func TestSmallBatchesAreMerged(t *testing.T) {
	t.Parallel()
	for name, codec := range map[string]kgo.CompressionCodec{"none": kgo.NoCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression()} {
		t.Run(name, func(t *testing.T) {
			us, eu := fake(t), fake(t)
			top, ctx := pairOf(t, us.ListenAddrs(), eu.ListenAddrs()), deadline(t)
			src := client(t, us.ListenAddrs(), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(codec))
			create(ctx, t, src, "orders", 1)
			for i := range 500 {
				produce(ctx, t, src, "orders", 1, i, i+1) // waits for each
			}
			m := manager(t, "eu")
			if err := m.Apply(top, all("us", "eu", 1)); err != nil {
				t.Fatal(err)
			}
			same(t, records(ctx, t, us.ListenAddrs(), "orders", 500), records(ctx, t, eu.ListenAddrs(), "us.orders", 500))
			st := await(ctx, t, m, "the end", func(p flow.PairStatus) bool { return len(p.Partitions) == 1 && p.Partitions[0].Lag == 0 })
			if merged := st.Partitions[0].Stats.Merged; merged < 400 {
				t.Errorf("%d of 500 batches were merged", merged)
			}
		})
	}
}
