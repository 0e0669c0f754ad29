package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

type flags struct {
	cells, tools, page   string
	profiles             string
	quick, list, figures bool
	repeat               int
}

func main() {
	log.SetFlags(log.Ltime)
	var f flags
	flag.StringVar(&f.cells, "cells", "", "cells to run, with commas between; a name that ends in '-' means all that begin so; none: all")
	flag.StringVar(&f.tools, "tools", "", "tools to run, with commas between; none: all")
	flag.StringVar(&f.page, "page", "", "file to write the tables to; none: build/BENCHMARKS.md")
	flag.StringVar(&f.profiles, "profiles", "", "folder for CPU and heap profiles of meshd, for go tool pprof; it costs some of both; none: no profiles")
	flag.BoolVar(&f.quick, "quick", false, "a tenth of the records, once each: to see that it works")
	flag.BoolVar(&f.list, "list", false, "print the names of cells and tools")
	flag.BoolVar(&f.figures, "figures", false, "measure meshd alone, and print what it is built to reach beside what it reaches")
	flag.IntVar(&f.repeat, "repeat", 0, "how often a tool is run in a cell; 0: as the cell says")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, f)
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, f flags) error {
	chosen, with := chosenCells(f.cells), named(f.tools)
	if len(chosen) == 0 || len(with) == 0 {
		return errors.New("no cell or no tool is called so; -list names them")
	}
	if f.list {
		list(chosen, with)
		return nil
	}
	b, err := newBench(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	if b.profiles = f.profiles; b.profiles != "" {
		if err := os.MkdirAll(b.profiles, 0o755); err != nil {
			return err
		}
	}
	if f.figures {
		return b.runFigures(ctx, f, os.Stdout)
	}
	return b.runAll(ctx, f, chosen, with)
}

// runAll runs cells and saves after each, so that a run that is cut short leaves what it has.
func (b *bench) runAll(ctx context.Context, f flags, chosen []cell, with []tool) error {
	m := describe(ctx, b)
	var all []row
	var wrong error
	for _, c := range chosen {
		rows, err := b.runCell(ctx, f.adapt(c), with)
		if ctx.Err() != nil {
			return err
		}
		if err != nil {
			log.Print(err)
		}
		all, wrong = append(all, rows...), errors.Join(wrong, err)
		if err := save(b.root, f.page, all, m); err != nil {
			return err
		}
	}
	for _, t := range report {
		fmt.Print(t.markdown(all))
	}
	fmt.Print(failures(all))
	return wrong
}

func list(cells []cell, tools []tool) {
	fmt.Println("cells:")
	for _, c := range cells {
		fmt.Printf("  %-16s %s\n", c.name, c.about)
	}
	fmt.Println("tools:")
	for _, t := range tools {
		fmt.Printf("  %s\n", t.name)
	}
}

func (f flags) adapt(c cell) cell {
	if f.quick {
		c.records, c.behind, c.repeat = max(1_000, c.records/10), c.behind/10, 1
	}
	if f.repeat > 0 {
		c.repeat = f.repeat
	}
	return c
}

func chosenCells(names string) []cell {
	return slices.DeleteFunc(cells(), func(c cell) bool { return !listed(names, c.name) })
}

func named(names string) []tool {
	return slices.DeleteFunc(slices.Clone(tools), func(t tool) bool { return !listed(names, t.name) })
}

func listed(names, name string) bool {
	return names == "" || slices.ContainsFunc(strings.Split(names, ","), func(s string) bool {
		return s == name || strings.HasSuffix(s, "-") && strings.HasPrefix(name, s)
	})
}
