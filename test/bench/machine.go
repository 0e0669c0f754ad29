package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// machine is where and on what a run was made.
type machine struct {
	Date, Memory, Kernel, Go, Kafka, Version, Command string
	Cores                                             int
}

func describe(ctx context.Context, b *bench) machine {
	m := machine{
		Date: time.Now().UTC().Format("2006-01-02 15:04 UTC"), Cores: runtime.NumCPU(), Go: strings.TrimPrefix(runtime.Version(), "go"),
		Memory: "unknown", Kernel: runtime.GOOS, Kafka: filepath.Base(filepath.Dir(b.libs)), Version: "unknown",
		Command: strings.Join(append([]string{"go run ./test/bench"}, os.Args[1:]...), " "),
	}
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.Kernel += " " + strings.TrimSpace(string(release)) + " " + runtime.GOARCH
	}
	if info, err := os.ReadFile("/proc/meminfo"); err == nil {
		m.Memory = memory(string(info))
	}
	describe := exec.CommandContext(ctx, "git", "describe", "--tags", "--always", "--dirty")
	describe.Dir = b.root
	if version, err := describe.Output(); err == nil {
		m.Version = strings.TrimSpace(string(version))
	}
	return m
}

// memory reads MemTotal of /proc/meminfo.
func memory(info string) string {
	for line := range strings.Lines(info) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "MemTotal:" {
			if kib, err := strconv.ParseFloat(fields[1], 64); err == nil {
				return fmt.Sprintf("%.1f GiB", kib/(1<<20))
			}
		}
	}
	return "unknown"
}
