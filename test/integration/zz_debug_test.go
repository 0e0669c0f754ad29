package integration

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/meshd/meshd/internal/kafkatest"
	"github.com/meshd/meshd/test/validate"
)

func TestZZ(t *testing.T) {
	c, m := chaosMesh(t)
	l := startTransactions(t, c.from, c.topic, kafkatest.Workload{Partitions: 8})
	await(t, "a backlog", func() (string, bool) { return fmt.Sprint(l.acked.Load()), l.acked.Load() >= 2_000 })
	data := t.TempDir()
	arrived := startWatch(t, c.to, c.remote())
	n := m.startIn(t, "eu-1", data)
	for range 6 {
		arrived.awaitMore(t, 200)
		n.kill()
		n = m.startIn(t, "eu-1", data)
	}
	acked := l.stop(t)
	time.Sleep(8 * time.Second)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	rep, err := validate.Copy(ctx, c.from.Client(t), c.to.Client(t), c.topic, c.remote())
	t.Log(acked, rep, err)
	resp, err := http.Get("http://" + m.admin["eu-1"] + "/v1/flows?partitions=true")
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(resp.Body)
	t.Log(string(b))
	if !rep.OK() {
		n.signal(t, syscall.SIGQUIT)
		time.Sleep(time.Second)
		_ = os.WriteFile("/tmp/zz.stack", []byte(n.says.String()), 0o644)
		t.Fail()
	}
}
