package writers

import (
	"os"
	"testing"
	"time"

	"github.com/meshd/meshd/internal/kafkatest"
)

func TestMain(m *testing.M) { os.Exit(kafkatest.Main(m)) }

// patience is how long a test waits for what should come soon. It is long: the machine may be busy with other things.
const patience = 90 * time.Second

// await asks until the answer is yes, and ends the test with what it saw last if that takes too long.
func await(t testing.TB, what string, look func() (saw string, done bool)) {
	t.Helper()
	deadline, tick := time.NewTimer(patience), time.NewTicker(50*time.Millisecond)
	defer deadline.Stop()
	defer tick.Stop()
	for {
		saw, ok := look()
		if ok {
			return
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("waited %s for %s; last seen: %s", patience, what, saw)
		case <-t.Context().Done():
			t.Fatalf("the test ended while it waited for %s; last seen: %s", what, saw)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
