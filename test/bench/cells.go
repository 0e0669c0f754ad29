package main

import "strconv"

// cell is one situation in which tools are measured.
type cell struct {
	name, about string
	workload
	kind    kind
	rate    int // records a second, where they are produced while they are copied
	repeat  int
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
	add("size-100B", "records of 100 B", func(c *cell) { c.size, c.records = 100, 5_000_000 })
	add("size-100KiB", "records of 100 KiB", func(c *cell) { c.size, c.records = 100<<10, 10_000 })
	add("partitions-1", "1 partition", func(c *cell) { c.partitions = 1 })
	add("partitions-1000", "1,000 partitions", func(c *cell) { c.partitions = 1000; c.repeat = 1 })
	for _, n := range []int{1, 4, 16} {
		add("batch-"+strconv.Itoa(n), "batches of "+strconv.Itoa(n)+" at the source", func(c *cell) { c.batch = n; c.records = 200_000; c.repeat = 1 })
	}
	add("wan", "50 ms each way", func(c *cell) { c.distant = true; c.repeat = 1 })
	return append(all, liveCells(base)...)
}

func liveCells(base cell) (all []cell) {
	return all
}
