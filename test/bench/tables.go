package main

// report is the tables of docs/BENCHMARKS.md.
var report = []table{
	{
		kind: throughput, title: "Copying what is there",
		text: `Seconds are from when records flow to the last one, so the start of a process is not in them; CPU is what the process used in that
time, user and system; memory is its peak of resident memory since its start. MB are 10^6 bytes of values before compression.`,
		columns: []column{{"seconds", "seconds", 2}, {"MB/s", "mbps", 0}, {"CPU s", "cpu", 2}, {"memory, MB", "memory", 0}},
		against: []ratio{
			{"seconds / rawcopy", "seconds", "rawcopy", false},
			{"CPU / rawcopy", "cpu", "rawcopy", false},
			{"seconds of MM2 / its", "seconds", "mm2", true},
			{"CPU of MM2 / its", "cpu", "mm2", true},
		},
	},
	{
		kind: naming, title: "What a name costs",
		text: `The same, with the copy named after its origin (meshd), and under the topic's own name, where every cluster may write: told apart by
who wrote a batch (meshd-batch), or by a header in every record, for which each batch is built anew (meshd-headers).`,
		columns: []column{{"seconds", "seconds", 2}, {"MB/s", "mbps", 0}, {"CPU s", "cpu", 2}, {"memory, MB", "memory", 0}},
		against: []ratio{{"CPU / meshd", "cpu", "meshd", false}, {"seconds / meshd", "seconds", "meshd", false}},
	},
	{
		kind: latency, title: "Latency under an even load",
		text: `Milliseconds from the call that produces a record at the source to when a consumer at the destination has it. "Source" is the part of
it until the source has answered the producer. CPU is in cores.`,
		columns: []column{
			{"p50", "p50", 1},
			{"p99", "p99", 1},
			{"p99.9", "p999", 1},
			{"source p50", "append_p50", 1},
			{"source p99", "append_p99", 1},
			{"CPU", "cores", 2},
			{"memory, MB", "memory", 0},
		},
		against: []ratio{{"p50 of MM2 / its", "p50", "mm2", true}, {"p99 of MM2 / its", "p99", "mm2", true}},
	},
	{
		kind: beside, title: "Latency beside a topic that is caught up",
		text: `The same, while another topic of the link is caught up, at so many MB/s of values before compression.`,
		columns: []column{
			{"p50", "p50", 1}, {"p99", "p99", 1}, {"p99.9", "p999", 1}, {"source p99", "append_p99", 1}, {"MB/s beside", "mbps", 0}, {"memory, MB", "memory", 0},
		},
	},
	{
		kind: idle, title: "Partitions to which nothing comes",
		text:    `CPU in cores over a minute; memory is the peak since the start, the opening and the first record of each partition in it; seconds until all are copied.`,
		columns: []column{{"seconds", "open", 1}, {"CPU", "cores", 3}, {"memory, MB", "memory", 0}},
	},
	{
		kind: start, title: "From the start of the process to its first record",
		text:    `Seconds until a consumer at the destination has it: on the first start, when the copy has to be made, and on one after a clean stop.`,
		columns: []column{{"first start", "first_start", 2}, {"restart", "restart", 2}},
		against: []ratio{{"first start of MM2 / its", "first_start", "mm2", true}, {"restart of MM2 / its", "restart", "mm2", true}},
	},
	{
		kind: kill, title: "kill -9 of one of two workers",
		text:    `The longest time, in seconds, in which a partition brought nothing, and the records that came twice, as a read-committed consumer sees it.`,
		columns: []column{{"stall", "stall", 2}, {"duplicates", "duplicates", 0}},
		against: []ratio{{"stall of MM2 / its", "stall", "mm2", true}},
	},
	{
		kind: groups, title: "From a group's commit to its place at the destination",
		text:    `Seconds until all partitions have moved, over twenty commits.`,
		columns: []column{{"first", "sync_first", 2}, {"median", "sync_median", 2}, {"longest", "sync_longest", 2}},
	},
}
