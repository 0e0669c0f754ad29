package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// bench is one run: two clusters, the programs, and a folder that is removed at its end.
type bench struct {
	root     string // of the module
	dir      string
	binaries string
	libs     string // Kafka's jars
	from, to *cluster
	profiles string // folder for profiles of meshd; none: none are made
	runs     int
}

func newBench(ctx context.Context) (*bench, error) {
	b := &bench{}
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return nil, fmt.Errorf("looking for the module: %w", err)
	}
	b.root = strings.TrimSpace(string(out))
	if b.dir, err = os.MkdirTemp("", "meshd-bench-"); err != nil {
		return nil, err
	}
	b.binaries = filepath.Join(b.dir, "bin")
	if err := b.build(ctx); err != nil {
		b.close()
		return nil, err
	}
	if err := b.startClusters(ctx); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

// build makes the programs as `make build` does.
func (b *bench) build(ctx context.Context) error {
	log.Print("building meshd and the yardsticks")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", b.binaries+"/", "./cmd/meshd", "./test/bench/yard/...")
	cmd.Dir, cmd.Env = b.root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building: %w\n%s", err, out)
	}
	return nil
}

func (b *bench) startClusters(ctx context.Context) error {
	script := filepath.Join(b.root, "scripts", "kafka.sh")
	fetch := exec.CommandContext(ctx, script, "fetch")
	fetch.Stderr = os.Stderr
	out, err := fetch.Output()
	if err != nil {
		return fmt.Errorf("fetching Kafka: %w", err)
	}
	b.libs = strings.TrimSpace(string(out))
	log.Print("starting clusters us and eu")
	if b.from, err = startCluster(script, filepath.Join(b.dir, "kafka"), "us"); err != nil {
		return err
	}
	b.to, err = startCluster(script, filepath.Join(b.dir, "kafka"), "eu")
	return err
}

// close ends the brokers and removes everything.
func (b *bench) close() {
	for _, c := range []*cluster{b.from, b.to} {
		if c != nil {
			c.broker.Kill()
		}
	}
	_ = os.RemoveAll(b.dir) // in the folder for temporary files anyway
}

// job makes a run's folder and name.
func (b *bench) job(topic string, partitions int) (*job, error) {
	b.runs++
	j := &job{bench: b, id: fmt.Sprintf("r%d", b.runs), topic: topic, partitions: partitions, source: b.from.address, workers: 1}
	j.dir = filepath.Join(b.dir, j.id)
	return j, os.Mkdir(j.dir, 0o700)
}
