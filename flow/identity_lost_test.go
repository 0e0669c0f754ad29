package flow_test

import (
	"context"
	"testing"
	"time"

	"github.com/meshd/meshd/kafka"
)

// onLostNotes tests what follows where the notes of b are lost, which stands between a and c, once everybody has written 100 records. lose
// deletes them.
func onLostNotes(t *testing.T, test func(ctx context.Context, t *testing.T, w *world, lose func())) {
	for name, lost := range map[string][]string{
		"the progress":          {"meshd.progress.a", "meshd.progress.c"},
		"the progress and maps": {"meshd.progress.a", "meshd.progress.c", "meshd.offsets.a", "meshd.offsets.c"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := deadline(t)
			w := chain(ctx, t)
			w.write(ctx, t, 0, 100)
			w.run(t, 1)
			test(ctx, t, w, func() { deleteTopics(ctx, t, w, "b", lost...) })
		})
	}
}

// Where the notes of how far everything had come are lost, the headers in the log say it.
func TestLostProgressIsFoundInTheLog(t *testing.T) {
	onLostNotes(t, func(ctx context.Context, t *testing.T, w *world, lose func()) {
		w.write(ctx, t, 100, 200)
		w.check(ctx, t, 200)
		w.renew(t, w.names...)
		w.write(ctx, t, 200, 250)
		lose()
		w.run(t, 2)
		w.write(ctx, t, 250, 300)
		w.check(ctx, t, 300)
	})
}

// The notes of a cluster in the middle are lost and made again while those run who read there.
func TestReadersOutliveLostNotes(t *testing.T) {
	onLostNotes(t, func(ctx context.Context, t *testing.T, w *world, lose func()) {
		w.check(ctx, t, 100)
		_ = kafka.Sleep(ctx, time.Second) // all is noted
		w.renew(t, "b")
		lose()
		w.runAt(t, "b", 2)
		w.write(ctx, t, 100, 300)
		w.check(ctx, t, 300)
	})
}
