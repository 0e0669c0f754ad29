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
	cells, tools string
	quick, list  bool
	repeat       int
}

func main() {
	log.SetFlags(log.Ltime)
	var f flags
	flag.StringVar(&f.cells, "cells", "", "names, or beginnings of names, of the cells to run; none: all")
	flag.StringVar(&f.tools, "tools", "", "names of the tools to run; none: all")
	flag.BoolVar(&f.quick, "quick", false, "a tenth of the records, once each: to see that it works")
	flag.BoolVar(&f.list, "list", false, "print cells and tools")
	flag.IntVar(&f.repeat, "repeat", 0, "how often each cell is run; 0: as the cell says")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, f); err != nil {
		log.Print(err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, f flags) error {
	chosen := slices.DeleteFunc(cells(), func(c cell) bool { return !chosenBy(f.cells, c.name) })
	if f.list {
		for _, c := range chosen {
			fmt.Printf("%-16s %s\n", c.name, c.about)
		}
		return nil
	}
	b, err := newBench(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	with := slices.DeleteFunc(slices.Clone(tools), func(t tool) bool { return !chosenBy(f.tools, t.name) })
	var wrong error
	for _, c := range chosen {
		_, err := b.runCell(ctx, f.adapt(c), with)
		if ctx.Err() != nil {
			return err
		}
		wrong = errors.Join(wrong, err)
	}
	return wrong
}

func (f flags) adapt(c cell) cell {
	if f.quick {
		c.records, c.repeat = max(1_000, c.records/10), 1
	}
	if f.repeat > 0 {
		c.repeat = f.repeat
	}
	return c
}

func chosenBy(list, name string) bool {
	if list == "" {
		return true
	}
	return slices.ContainsFunc(strings.Split(list, ","), func(s string) bool { return s == name })
}
