package kafkatest

import (
	"fmt"
	"sync"
	"testing"
)

// shared holds the real clusters of this test process, by what was asked for.
var shared struct {
	sync.Mutex
	owned    bool // Main runs, and ends them
	clusters map[string]*sharedCluster
}

type sharedCluster struct {
	once    sync.Once
	cluster *Cluster
	err     error
}

// Main runs a package's tests and ends the clusters that they shared; its result is for os.Exit. Leaks are looked for after it
// (goleak.Find), for a shared cluster has a goroutine a broker until then.
func Main(m *testing.M) int {
	shared.owned = true
	defer closeShared()
	return m.Run()
}

func closeShared() {
	shared.Lock()
	defer shared.Unlock()
	for _, s := range shared.clusters {
		if s.cluster != nil {
			s.cluster.close()
		}
	}
}

// Shared returns the cluster of this alias and these options, which it starts for the first test that asks. With kfake, which
// starts in no time, each test has its own. A test must not stop or configure it, and takes topics and groups of unique names.
func Shared(t testing.TB, alias string, options ...Option) *Cluster {
	t.Helper()
	if !Real() {
		return Start(t, alias, options...)
	}
	s := sharedEntry(t, alias, newConfig(options))
	s.once.Do(func() { s.cluster, s.err = start(alias, newConfig(options)) })
	if s.err != nil {
		t.Fatalf("starting cluster %s: %v", alias, s.err)
	}
	return s.cluster
}

func sharedEntry(t testing.TB, alias string, config config) *sharedCluster {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if !shared.owned {
		t.Fatal("a package that shares clusters needs a TestMain that calls kafkatest.Main")
	}
	if shared.clusters == nil {
		shared.clusters = make(map[string]*sharedCluster)
	}
	key := fmt.Sprintf("%s %+v", alias, config) // maps print in the order of their keys
	if shared.clusters[key] == nil {
		shared.clusters[key] = new(sharedCluster)
	}
	return shared.clusters[key]
}
