package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// tool is a program that copies a topic from one cluster into the other.
type tool struct {
	name    string
	slow    bool   // it is run once where others are run several times, or all would take hours
	naming  string // settings of meshd's link with which the copy has its topic's name; it is run in the cells that say so alone
	command func(*job, int) (*exec.Cmd, error)
}

// job is what a tool is to copy, and with what.
type job struct {
	*bench
	tool       tool
	id         string // of this run, as the source's alias too: so that no two runs know of each other
	topic      string
	also       string // topics beside it, as a topology names them; none
	partitions int
	source     string // where the source cluster is reached
	workers    int
	dir        string // the run's own
	admin      []string
}

// remote is the copy's name.
func (j *job) remote() string {
	if j.tool.naming != "" {
		return j.topic
	}
	return j.id + "." + j.topic
}

// launch starts one worker of the tool.
func (j *job) launch(t tool, worker int) (*process, error) {
	cmd, err := t.command(j, worker)
	if err != nil {
		return nil, fmt.Errorf("preparing %s: %w", t.name, err)
	}
	return launch(cmd, j.dir, t.name+"-"+strconv.Itoa(worker))
}

// write keeps a file in the run's folder, and returns its path.
func (j *job) write(name, text string) (string, error) {
	path := filepath.Join(j.dir, name)
	return path, os.WriteFile(path, []byte(text), 0o600)
}

// tools in the order in which they are run and shown.
var tools = []tool{
	{name: "rawcopy", command: yard("rawcopy")},
	{name: "kgocopy", command: yard("kgocopy")},
	{name: "meshd", command: meshd},
	{name: "meshd-batch", command: meshd, naming: "    naming: identity\n    provenance: batch\n"},
	{name: "meshd-headers", command: meshd, naming: "    naming: identity\n"},
	{name: "mm2", slow: true, command: mm2(shipped)},
	{name: "mm2-tuned", slow: true, command: mm2(tuned)},
}

// yard is a copy program of the folder of this name: what a byte costs where nothing is promised.
func yard(name string) func(*job, int) (*exec.Cmd, error) {
	return func(j *job, _ int) (*exec.Cmd, error) {
		return exec.Command(filepath.Join(j.binaries, name), j.source, j.to.address, j.topic, j.remote(), strconv.Itoa(j.partitions)), nil
	}
}
