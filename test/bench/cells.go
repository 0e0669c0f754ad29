package main

import (
	"fmt"
	"slices"
	"strconv"
)

// cell is one situation in which tools are measured.
type cell struct {
	name, about string
	workload
	kind    kind
	rate    int // records a second, where they are produced while they are copied
	repeat  int
	workers int      // where one is killed
	behind  int      // MB of another topic that is caught up beside it
	distant bool     // through a proxy that holds everything up
	tools   []string // that can be measured so; none: all
}

type kind int

const (
	throughput kind = iota
	latency
	start
	kill
	groups
	idle
	beside
	naming
)

// cells are along one axis at a time from the first: a gigabyte of records of 1 KiB, LZ4, 8 partitions, batches as large as they get.
func cells() []cell {
	base := cell{name: "base", about: "1 KiB, lz4, 8 partitions", workload: workload{records: 1_000_000, size: 1024, partitions: 8, codec: "lz4"}, repeat: 3}
	all := []cell{base}
	add := func(name, about string, change func(*cell)) {
		c := base
		c.name, c.about = name, about
		change(&c)
		all = append(all, c)
	}
	add("codec-none", "not compressed", func(c *cell) { c.codec = "none" })
	add("codec-zstd", "zstd", func(c *cell) { c.codec = "zstd" })
	add("size-100B", "5,000,000 records of 100 B", func(c *cell) { c.size, c.records = 100, 5_000_000 })
	add("size-100KiB", "10,000 records of 100 KiB", func(c *cell) { c.size, c.records = 100<<10, 10_000 })
	add("partitions-1", "1 partition", func(c *cell) { c.partitions = 1 })
	add("partitions-1000", "1,000 partitions, 200,000 records", func(c *cell) { c.partitions, c.records, c.repeat = 1000, 200_000, 1 })
	for _, n := range []int{1, 4, 16} {
		add("batch-"+strconv.Itoa(n), "batches of "+strconv.Itoa(n)+" at the source, 200,000 records", func(c *cell) { c.batch = n; c.records = 200_000; c.repeat = 1 })
	}
	add("wan", "50 ms each way", func(c *cell) { c.distant = true; c.repeat = 1 })
	add("wan-1", "50 ms each way, 1 partition", func(c *cell) { c.distant = true; c.partitions, c.repeat = 1, 1 })
	for _, codec := range []string{"none", "lz4", "zstd"} {
		add("naming-"+codec, "1 KiB, "+codec+", 8 partitions", func(c *cell) {
			c.kind, c.codec, c.tools = naming, codec, []string{"meshd", "meshd-batch", "meshd-headers"}
		})
	}
	return append(all, liveCells(base)...)
}

// takes says whether a tool is measured in a cell.
func (c cell) takes(t tool) bool {
	if len(c.tools) == 0 {
		return t.naming == ""
	}
	return slices.Contains(c.tools, t.name)
}

// liveCells are those in which records are produced while they are copied.
func liveCells(base cell) (all []cell) {
	follow := []string{"kgocopy", "meshd", "mm2", "mm2-tuned"}
	base.repeat, base.tools = 1, follow
	add := func(k kind, name, about string, rate int, change func(*cell)) {
		c := base
		c.kind, c.name, c.about, c.rate = k, name, about, rate
		change(&c)
		all = append(all, c)
	}
	for _, rate := range []int{1_000, 5_000, 20_000} {
		add(latency, "latency-"+strconv.Itoa(rate), comma(rate)+"/s of 1 KiB", rate, func(c *cell) { c.tools = []string{"meshd", "mm2", "mm2-tuned"} })
	}
	add(start, "start", "process to its first record", 0, func(c *cell) { c.records, c.repeat = 1_000, 3 })
	for _, rate := range []int{200, 5_000} {
		add(kill, "kill-"+strconv.Itoa(rate), "kill -9 of one of two workers at "+comma(rate)+"/s", rate, func(c *cell) {
			c.workers, c.tools = 2, []string{"meshd", "mm2", "mm2-tuned"}
		})
	}
	add(kill, "kill-1000", "kill -9 of one of two workers, 1,000 partitions", 5_000, func(c *cell) {
		c.workers, c.partitions, c.tools = 2, 1000, []string{"meshd"}
	})
	add(beside, "beside", "5,000/s of 1 KiB while 10 GB of another topic are caught up", 5_000, func(c *cell) {
		c.behind, c.tools = 10_000, []string{"meshd"}
	})
	for i, about := range []string{"at rest", "at 5,000/s of 1 KiB"} {
		rate := i * 5_000
		add(groups, "groups-"+strconv.Itoa(rate), about, rate, func(c *cell) {
			c.records, c.tools = 80_000, []string{"meshd"}
		})
	}
	// The last: a broker of half a gigabyte may not outlive so many partitions for long.
	add(idle, "idle-10000", "10,000 partitions", 0, func(c *cell) { c.partitions, c.tools = 10_000, []string{"meshd"} })
	return all
}

// comma writes thousands apart.
func comma(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%s,%03d", comma(n/1000), n%1000)
}

// topic is what a cell's source is called, where all runs copy the same one.
func (c cell) topic() string { return "t-" + c.name }
