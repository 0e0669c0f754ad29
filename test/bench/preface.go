package main

// preface and footnote are the words around the tables of docs/BENCHMARKS.md: what was measured, and how to read it.
const preface = `# Benchmarks

Written by a run of ` + "`make bench`" + `, up to the notes at the end, which are kept. Every run of a tool reads the same source topic of the same broker
and writes to the same other broker, on one machine, in turn. All of it shares that machine's cores: brokers, load, tool and consumer.

| | |
|---|---|
| date | %s |
| cores | %d |
| memory | %s |
| kernel | %s |
| Go | %s |
| Apache Kafka | %s, one broker a cluster, 512 MB of heap each |
| meshd | %s |
| command | ` + "`%s`" + ` |

What is compared:

* **rawcopy** copies record batches as they are. It remembers nothing, survives nothing and stops at the end: what a byte costs, not what
  a replicator costs.
* **kgocopy** copies record by record through a client library, as anyone would write it first. It remembers nothing either, and always
  writes LZ4.
* **meshd** is one node with its defaults. Each of its copies was read back and compared with the source record by record.
* **mm2** is MirrorMaker 2 of the same Kafka, in its dedicated mode with its defaults, but for replication factors of 1.
* **mm2-tuned** is the same with exactly-once support, tasks and larger fetches and batches: ` + "`test/bench/mm2.go`" + ` has the settings.

A cell differs in what its name says from 1,000,000 records of 1 KiB, half of which compresses away, in 8 partitions and batches as large as
they get. Where a tool was run several times, each number is the median of its runs; MirrorMaker 2 was run once.
`

const footnote = `
To run one of them: ` + "`go run ./test/bench -list`" + ` names cells and tools, ` + "`-cells`" + ` and ` + "`-tools`" + ` choose.
`
