package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// usage is what a process has cost since its start.
type usage struct {
	cpu  time.Duration // user and system
	peak int64         // bytes of resident memory
}

// ticksPerSecond is USER_HZ, in which /proc counts (proc_pid_stat(5)); Linux has it at 100 for every architecture that Go knows.
const ticksPerSecond = 100

// usage asks the kernel. Of a process that has ended the peak is the last that was read: what is left of it, ru_maxrss, counts
// the memory of this process too, from which it was forked.
func (p *process) usage() (usage, error) {
	if p.Running() {
		u, err := usageOf(p.Cmd.Process.Pid)
		if err == nil {
			p.peak = u.peak
			return u, nil
		}
		if !errors.Is(err, errEnding) && !errors.Is(err, os.ErrNotExist) {
			return u, err
		}
		<-p.Done()
	}
	state := p.ProcessState
	return usage{cpu: state.UserTime() + state.SystemTime(), peak: p.peak}, nil
}

// errEnding is what a process shows that has ended: it has no memory any more, until it was waited for.
var errEnding = errors.New("/proc/PID/status has no VmHWM")

func usageOf(pid int) (u usage, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, err
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return u, err
	}
	if u.cpu, err = cpuTime(string(stat)); err != nil {
		return u, err
	}
	u.peak, err = peakMemory(string(status))
	return u, err
}

// cpuTime reads fields 14 and 15 of /proc/PID/stat. The second field is a name in parentheses that may hold anything.
func cpuTime(stat string) (time.Duration, error) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/PID/stat has %d fields", len(fields))
	}
	var ticks int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("reading /proc/PID/stat: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / ticksPerSecond, nil
}

// peakMemory reads VmHWM of /proc/PID/status.
func peakMemory(status string) (int64, error) {
	for line := range strings.Lines(status) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			return kib << 10, err
		}
	}
	return 0, errEnding
}
