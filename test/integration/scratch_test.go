package integration

import (
	"testing"
	"fmt"
	"net/http"
	"io"
	"strings"

	"github.com/meshd/meshd/internal/kafkatest"
	"github.com/meshd/meshd/internal/kafkatest/logread"
)

func TestScratch(t *testing.T) {
	sites := shared(t, "us", "eu", "ap")
	n := 5000
	topic := kafkatest.UniqueTopic(t, "orders")
	m := newMesh(t, link("us, eu, ap", topic), sites...)
	produceEverywhere(t, m, topic, n)
	for _, from := range m.sites {
		for _, to := range m.sites {
			if from == to { continue }
			c := copyOf{from, to, topic}
			w := startWatch(t, to, c.remote())
			if saw, ok := poll(t, 8e9, func() (string, bool) { return w.saw(n) }); ok { continue } else { t.Errorf("%s->%s %s", from.alias, to.alias, saw) }
			a, b := byPartition(from.ReadAll(t, topic, logread.Committed)), byPartition(to.ReadAll(t, c.remote(), logread.Uncommitted))
			for p := range a {
				x, y := a[p], b[p]
				for i := range x {
					if i >= len(y) || string(x[i].Value) != string(y[i].Value) || string(x[i].Key) != string(y[i].Key) {
						lo, hi := max(0, i-3), min(len(y), i+4)
						for _, r := range x[lo:min(len(x), i+7)] { fmt.Printf("src p%d %d key %q ts %d\n", p, r.Offset, r.Key, r.Timestamp.UnixMilli()) }
						for _, r := range y[lo:hi] { fmt.Printf("dst p%d %d key %q seq? ts %d\n", p, r.Offset, r.Key, r.Timestamp.UnixMilli()) }
						fmt.Println("len", len(x), len(y))
						break
					}
				}
			}
			resp, err := http.Get("http://" + m.admin[to.alias+"-1"] + "/v1/flows?partitions=true")
			if err == nil { bb, _ := io.ReadAll(resp.Body); s := string(bb); if i := strings.Index(s, c.remote()); i>=0 { fmt.Println(s[max(0,i-300):min(len(s), i+6000)]) } }
			fmt.Println(m.latest[to.alias+"-1"].says.tail(1000))
		}
	}
}
