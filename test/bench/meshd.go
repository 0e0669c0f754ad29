package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// meshd runs nodes of the destination's datacenter, with everything as it is by default.
func meshd(j *job, worker int) (*exec.Cmd, error) {
	file, err := j.topology()
	if err != nil {
		return nil, err
	}
	name := "eu-" + strconv.Itoa(worker+1)
	data := filepath.Join(j.dir, name)
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, err
	}
	cmd := exec.Command(filepath.Join(j.binaries, "meshd"), "run", "--topology", file, "--node", name, "--data-dir", data)
	if j.profiles == "" {
		return cmd, nil
	}
	base, err := freeBlock(1)
	if err != nil {
		return nil, err
	}
	address := "127.0.0.1:" + strconv.Itoa(base)
	cmd.Args = append(cmd.Args, "--pprof", address)
	go profile(address, filepath.Join(j.profiles, j.id+"-"+name)) // it ends with the process
	return cmd, nil
}

// topology writes the file at the first start, and leaves it for the later ones.
func (j *job) topology() (string, error) {
	const name = "topology.yaml"
	if j.admin != nil {
		return filepath.Join(j.dir, name), nil
	}
	var y strings.Builder
	fmt.Fprintf(&y, "version: 1\nmesh: %s\nclusters:\n  %s: {bootstrap: [%q], read_only: true}\n  eu: {bootstrap: [%q]}\nnodes:\n", j.id, j.id, j.source, j.to.address)
	for n := range j.workers {
		base, err := freeBlock(3)
		if err != nil {
			return "", err
		}
		address := func(i int) string { return "127.0.0.1:" + strconv.Itoa(base+i) }
		j.admin = append(j.admin, address(2))
		fmt.Fprintf(&y, "  eu-%d: {datacenter: eu, gossip: %q, raft: %q, admin: %q}\n", n+1, address(0), address(1), address(2))
	}
	fmt.Fprintf(&y, "links:\n  - from: [%s]\n    to: [eu]\n    topics: {include: [%q]}\n    groups: {include: [%q]}\n", j.id, j.included(), j.topic+"-.*")
	y.WriteString(j.tool.naming)
	return j.write(name, y.String())
}

func (j *job) included() string {
	if j.also == "" {
		return j.topic
	}
	return j.topic + "|" + j.also
}
