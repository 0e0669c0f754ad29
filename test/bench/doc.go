// Command bench measures meshd beside other ways to copy the same records, in one run on the same two brokers:
//
//	                       ┌─ meshd ─────────────┐
//	load ──▶ cluster us ───┼─ MirrorMaker 2 ─────┼──▶ cluster eu ──▶ ends of logs, or a consumer of its own
//	          (or a slow   ├─ MM2, tuned ────────┤
//	           proxy)      └─ yard: two programs ┘
//
// A cell is one situation; it says what is measured (throughput, latency, start, kill, groups). Each tool is a process, whose CPU
// time and memory the kernel counts. What meshd copied is compared with the source record by record.
//
//	go run ./test/bench -list
//	go run ./test/bench -cells base,codec-zstd -tools rawcopy,meshd
//	go run ./test/bench -figures
//
// Invariants: a number is measured, never assumed; no result depends on how fast the machine is; a tool that stands still makes a
// cell without result, not a run without end; no process outlives this one (on Linux).
//
// It must never be run beside other work on the machine when its numbers are meant to be kept.
package main
