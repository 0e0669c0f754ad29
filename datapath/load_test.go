package datapath

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshd/meshd/topology"
)

func TestRates(t *testing.T) {
	shard := func(n int) topology.Shard { return topology.Shard{Origin: "us", Destination: "eu", Number: n} }
	kept, opened, again, idle, gone := shard(1), shard(2), shard(3), shard(4), shard(5)
	got := rates(
		map[topology.Shard]int64{kept: 1_000, again: 9_000, idle: 7, gone: 5},
		map[topology.Shard]int64{kept: 6_000, opened: 2_000, again: 3_000, idle: 7},
		5*time.Second,
	)
	want := map[topology.Shard]float64{kept: 1_000, opened: 400, again: 600, idle: 0}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
