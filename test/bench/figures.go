package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// figure is a number that meshd is built to reach.
type figure struct {
	what, cell, name string
	target           float64 // at most, but for a rate
	unit             string
}

// bound says on which side of its target a figure is to be.
func (f figure) bound() string {
	if f.unit == "MB/s" {
		return ">="
	}
	return "<="
}

var figures = []figure{
	{"first start to the first record", "start", "first_start", 3, "s"},
	{"restart to the first record", "start", "restart", 1, "s"},
	{"produced to read at 5,000/s of 1 KiB, p99", "latency-5000", "p99", 50, "ms"},
	{"peak memory of a node at 5,000/s of 1 KiB", "latency-5000", "memory", 200, "MB"},
	{"a group's commit to its place, at rest, longest", "groups-0", "sync_longest", 2, "s"},
	{"a group's commit to its place, at 5,000/s, longest", "groups-5000", "sync_longest", 2, "s"},
	{"peak memory of a node that copies a gigabyte", "base", "memory", 150, "MB"},
	{"one partition through 50 ms each way", "wan-1", "mbps", 25, "MB/s"},
	{"kill -9 of a node with 1,000 partitions, longest stall", "kill-1000", "stall", 3, "s"},
	{"produced to read beside 10 GB that are caught up, p99", "beside", "p99", 100, "ms"},
	{"10,000 partitions at rest, CPU", "idle-10000", "cores", 0.05, "cores"},
	{"10,000 partitions at rest, peak memory", "idle-10000", "memory", 150, "MB"},
}

// runFigures measures meshd alone in the cells of the figures, and prints them. It judges nothing: that depends on the machine.
func (b *bench) runFigures(ctx context.Context, f flags, out io.Writer) error {
	measured := map[string]measurement{}
	var wrong error
	for _, c := range cells() {
		if !wanted(c.name) {
			continue
		}
		rows, err := b.runCell(ctx, f.adapt(c), named("meshd"))
		if ctx.Err() != nil {
			return err
		}
		wrong = errors.Join(wrong, err)
		for _, r := range rows {
			measured[c.name] = r.Median
		}
	}
	return errors.Join(wrong, printFigures(measured, out))
}

func wanted(cell string) bool {
	for _, f := range figures {
		if f.cell == cell {
			return true
		}
	}
	return false
}

func printFigures(measured map[string]measurement, out io.Writer) error {
	var lines strings.Builder
	lines.WriteString("FIGURE\tTARGET\tMEASURED\n")
	for _, f := range figures {
		value := "-"
		if v, ok := measured[f.cell][f.name]; ok {
			value = strconv.FormatFloat(v, 'f', 2, 64) + " " + f.unit
		}
		fmt.Fprintf(&lines, "%s\t%s %g %s\t%s\n", f.what, f.bound(), f.target, f.unit, value)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, err := io.WriteString(w, lines.String())
	return errors.Join(err, w.Flush())
}
