package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// event is a line of `go test -json`; see `go doc test2json`.
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
	Elapsed float64 // s
}

type test struct{ pkg, name string }

func (t test) compare(other test) int {
	return strings.Compare(t.pkg+" "+t.name, other.pkg+" "+other.name)
}

// counter counts over all runs.
type counter struct {
	out            io.Writer
	broken         error // of writing to out, the first
	passed, failed int
	ran            map[test]bool         // in some run, to an end
	skipped        map[test]bool         // in some run
	packages       map[string]*inPackage // those that run now
}

// inPackage is what is known of a package until its run ends.
type inPackage struct {
	output          map[string][]string // by test; "" is the package's own
	running         map[string]bool
	passed, skipped int
	failed          int
}

func newCounter(out io.Writer) *counter {
	return &counter{
		out: out, ran: make(map[test]bool), skipped: make(map[test]bool), packages: make(map[string]*inPackage),
	}
}

func (c *counter) read(lines *bufio.Reader) error {
	for {
		line, err := lines.ReadString('\n')
		if line = strings.TrimRight(line, "\n"); line != "" {
			c.line(line)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading test output: %w", err)
		}
	}
}

func (c *counter) line(line string) {
	var e event
	if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &e) != nil || e.Action == "" {
		if strings.HasPrefix(line, "FAIL: ") {
			c.failed++
		}
		c.print(line + "\n")
		return
	}
	switch {
	case e.Action == "build-output":
		c.print(e.Output)
	case e.Package == "":
	case e.Test == "":
		c.ofPackage(e)
	default:
		c.ofTest(e)
	}
}

func (c *counter) print(text string) {
	if _, err := io.WriteString(c.out, text); err != nil && c.broken == nil {
		c.broken = fmt.Errorf("printing: %w", err)
	}
}

func (c *counter) pkg(name string) *inPackage {
	p := c.packages[name]
	if p == nil {
		p = &inPackage{output: make(map[string][]string), running: make(map[string]bool)}
		c.packages[name] = p
	}
	return p
}

func (c *counter) ofTest(e event) {
	p, t := c.pkg(e.Package), test{e.Package, e.Test}
	switch e.Action {
	case "run":
		p.running[e.Test] = true
		return
	case "output":
		p.output[e.Test] = append(p.output[e.Test], e.Output)
		return
	case "pass":
		c.passed++
		p.passed++
		c.ran[t] = true
	case "skip":
		p.skipped++
		c.skipped[t] = true
	case "fail":
		c.fails(p, e.Test)
		c.ran[t] = true
	default:
		return
	}
	delete(p.running, e.Test)
	delete(p.output, e.Test)
}

func (c *counter) fails(p *inPackage, name string) {
	c.failed++
	p.failed++
	for _, line := range p.output[name] {
		c.print(line)
	}
}

// ofPackage ends a package's run at its verdict. What still runs then was cut short: it panicked, or time ran out.
func (c *counter) ofPackage(e event) {
	p := c.pkg(e.Package)
	switch e.Action {
	case "output":
		p.output[""] = append(p.output[""], e.Output)
		return
	case "pass", "skip", "fail":
	default:
		return
	}
	delete(c.packages, e.Package)
	if e.Action != "fail" {
		if p.passed > 0 || p.skipped > 0 {
			c.print(fmt.Sprintf("ok    %s  %.1fs  %d passed, %d skipped\n", e.Package, e.Elapsed, p.passed, p.skipped))
		}
		return
	}
	c.cutShort(p)
	if p.failed == 0 {
		c.fails(p, "")
	}
	c.print(fmt.Sprintf("FAIL  %s  %.1fs  %d passed, %d failed\n", e.Package, e.Elapsed, p.passed, p.failed))
}

func (c *counter) cutShort(p *inPackage) {
	for _, name := range slices.Sorted(maps.Keys(p.running)) {
		c.print(name + " did not end:\n")
		c.fails(p, name)
	}
	p.running = nil
}

// conclude counts packages that never ended and, in a complete run, what was skipped everywhere, and prints the last line.
func (c *counter) conclude(allowed map[test]bool) {
	for _, name := range slices.Sorted(maps.Keys(c.packages)) {
		c.print(fmt.Sprintf("FAIL  %s: the run ended before it\n", name))
		p := c.packages[name]
		c.cutShort(p)
		if p.failed == 0 {
			c.fails(p, "")
		}
	}
	for _, t := range slices.SortedFunc(maps.Keys(c.skipped), test.compare) {
		switch {
		case c.ran[t] || allowed[t]:
		case allowed == nil:
			c.print(fmt.Sprintf("skipped: %s %s\n", t.pkg, t.name))
		default:
			c.print(fmt.Sprintf("FAIL: %s %s was skipped in every run\n", t.pkg, t.name))
			c.failed++
		}
	}
	c.print(fmt.Sprintf("%d passed, %d failed\n", c.passed, c.failed))
}
