// Command testcount reads the output of `go test -json`, of several runs one after the other, prints what a person wants to see of
// it, and ends with the line "N passed, N failed". It exits with 1 where anything failed.
//
//	(go test -json ./...; MESHD_TEST_KAFKA=real go test -json ./...) | testcount [-skips FILE]
//
// A package that fails without a failing test (it does not build, it panics) counts as one. A line that is not of go test is printed as
// it is; one that begins with "FAIL: " counts as one. With -skips the run is complete: a test that was skipped in every run in which it came up
// counts as failed, unless FILE lists it, a line each: package, test, reason.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"strings"
)

func main() {
	skips := flag.String("skips", "", "file of the tests that may be skipped; the run is complete")
	flag.Parse()
	c := newCounter(os.Stdout)
	if err := run(c, *skips); err != nil {
		fmt.Fprintln(os.Stderr, "testcount:", err)
		os.Exit(2)
	}
	if c.failed > 0 {
		os.Exit(1)
	}
}

func run(c *counter, skips string) error {
	var allowed map[test]bool
	if skips != "" {
		var err error
		if allowed, err = readSkips(skips); err != nil {
			return err
		}
	}
	lines := bufio.NewReader(os.Stdin)
	if err := c.read(lines); err != nil {
		return err
	}
	c.conclude(allowed)
	return c.broken
}

// readSkips reads "package test reason" lines; '#' begins a comment.
func readSkips(path string) (map[test]bool, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the list of skipped tests: %w", err)
	}
	allowed := make(map[test]bool)
	for i, line := range strings.Split(string(content), "\n") {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0:
		case len(fields) < 3:
			return nil, fmt.Errorf("%s:%d: package, test and reason are needed", path, i+1)
		default:
			allowed[test{fields[0], fields[1]}] = true
		}
	}
	return allowed, nil
}
