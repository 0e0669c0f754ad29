package chaos

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshd/meshd/test/validate"
)

// report is what a seed did. Times are since its beginning.
type report struct {
	test, name       string // what has it happen again, and what its file is called
	seed             uint64
	began            time.Time
	faults           []played
	stalls           []stall
	copies           []validate.Report
	shared           []validate.SharedReport
	loaded, caughtUp time.Duration
}

// played is a fault, and when it really began and had ended.
type played struct {
	fault
	began, ended time.Duration
	trouble      []string // what could not be done
}

// await returns at a time of the seed.
func (r *report) await(at time.Duration) {
	<-time.After(time.Until(r.began.Add(at)))
}

func sorted(stalls map[string]stall) []stall {
	return slices.SortedFunc(maps.Values(stalls), func(a, b stall) int { return cmp.Compare(a.topic, b.topic) })
}

// verdict is a line.
func (r *report) verdict(failed bool) string {
	var records int64
	var counts validate.Counts
	for _, c := range r.copies {
		records += c.SourceRecords
		add(&counts, c.Counts)
	}
	for _, s := range r.shared {
		for _, n := range s.Produced {
			records += n
		}
		add(&counts, s.Counts)
	}
	verdict := "ok"
	if failed {
		verdict = "FAILED"
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%s %-3d %-6s %6d records: %s; loaded %.0f s, complete after %.0f s",
		r.name, r.seed, verdict, records, brief(counts), r.loaded.Seconds(), r.caughtUp.Seconds())
	if len(r.stalls) > 0 {
		longest := slices.MaxFunc(r.stalls, func(a, b stall) int { return cmp.Compare(a.to-a.from, b.to-b.from) })
		fmt.Fprintf(&text, "; longest stall %.1f s", (longest.to - longest.from).Seconds())
	}
	for _, f := range r.faults {
		if len(f.trouble) > 0 {
			fmt.Fprintf(&text, "; %s: %s", f.fault, strings.Join(f.trouble, "; "))
		}
	}
	return text.String()
}

func add(sum *validate.Counts, c validate.Counts) {
	for k, n := range c {
		sum[k] += n
	}
}

// brief names what there is of.
func brief(c validate.Counts) string {
	var parts []string
	for kind, n := range c {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, validate.Kind(kind)))
		}
	}
	if len(parts) == 0 {
		return "nothing wrong"
	}
	return strings.Join(parts, ", ")
}

func (r *report) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "again: make chaos CHAOS='-test.run %s -seeds 1 -seed %d'\n\nfaults, in seconds: planned from, to; happened from, to\n", r.test, r.seed)
	for _, f := range r.faults {
		fmt.Fprintf(&text, "%5.1f %5.1f  %5.1f %5.1f  %s", f.from.Seconds(), f.to.Seconds(), f.began.Seconds(), f.ended.Seconds(), f.fault)
		for _, trouble := range f.trouble {
			fmt.Fprintf(&text, "; %s", trouble)
		}
		fmt.Fprintln(&text)
	}
	fmt.Fprintf(&text, "\nthe longest time without an arrival in a partition, by topic\n")
	for _, s := range r.stalls {
		fmt.Fprintln(&text, s)
	}
	fmt.Fprintln(&text)
	for _, c := range r.copies {
		fmt.Fprintln(&text, c)
	}
	for _, s := range r.shared {
		fmt.Fprintln(&text, s)
	}
	return text.String()
}

// write keeps the report; of a seed that failed, the logs too.
func (r *report) write(t *testing.T, m *mesh) {
	line := r.verdict(t.Failed())
	note("%s", line)
	t.Log(line)
	name := filepath.Join(*reports, fmt.Sprintf("%s-%d", r.name, r.seed))
	err := errors.Join(os.MkdirAll(*reports, 0o755), os.WriteFile(name+".txt", []byte(line+"\n"+r.String()), 0o600))
	if t.Failed() {
		t.Log(r)
		err = errors.Join(err, m.keepLogs(name))
	}
	if err != nil {
		t.Errorf("keeping the report: %v", err)
	}
}

// keepLogs copies what nodes and brokers wrote into a folder.
func (m *mesh) keepLogs(dir string) error {
	logs := map[string]string{"topology.yaml": m.file}
	for _, n := range m.nodes {
		logs[n.name+".log"] = n.log
	}
	for _, s := range m.sides {
		for i := range s.fronts {
			at := fmt.Sprintf("%s-broker-%d.log", s.alias, i+1)
			logs[at], logs[at+".before"] = filepath.Join(s.Dir(i+1), "kafka.log"), filepath.Join(s.Dir(i+1), "kafka.log.before")
		}
	}
	err := os.MkdirAll(dir, 0o755)
	for name, from := range logs {
		content, failed := os.ReadFile(from)
		if errors.Is(failed, os.ErrNotExist) {
			continue
		}
		err = errors.Join(err, failed, os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
	return err
}
