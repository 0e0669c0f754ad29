package offsetxlate

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/meshd/meshd/topology"
)

var rewrite = flag.Bool("rewrite", false, "write what the scenarios print into testdata")

// TestScenarios runs the text files of testdata/decide. A block is commands, a line ----, and what they print, up to an empty
// line. After a change: go test -run TestScenarios -rewrite, and read the difference.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/decide/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("scenarios: %d, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := runScenario(string(b))
			if *rewrite {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			} else if got != string(b) {
				t.Errorf("got\n%s", got)
			}
		})
	}
}

func runScenario(text string) string {
	w := newWorld()
	var blocks []string
	for block := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		commands, _, has := strings.Cut(block, "\n----")
		if !has && strings.HasPrefix(block, "#") {
			blocks = append(blocks, block)
			continue
		}
		var out strings.Builder
		for line := range strings.Lines(commands) {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				out.WriteString(w.command(line))
			}
		}
		blocks = append(blocks, commands+"\n----\n"+strings.TrimSuffix(out.String(), "\n"))
	}
	return strings.Join(blocks, "\n\n") + "\n"
}

// command runs one line and returns what it prints.
func (w *world) command(line string) string {
	args := strings.Fields(line)
	run, ok := commands[args[0]]
	if !ok {
		return "unknown command: " + line + "\n"
	}
	return run(w, args[1:])
}

func alias(s string) topology.Alias { return topology.Alias(s) }

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

func (w *world) part(id string) *worldPart {
	for _, p := range w.parts {
		if p.id.String() == id {
			return p
		}
	}
	panic("no partition " + id)
}

func failed(err error) string {
	if err != nil {
		return err.Error() + "\n"
	}
	return ""
}

var commands = map[string]func(w *world, a []string) string{
	"clusters": func(w *world, a []string) string {
		var all []topology.Alias
		for _, s := range a {
			all = append(all, alias(s))
		}
		*w = *newWorld(all...)
		return ""
	},
	"topic":   func(w *world, a []string) string { w.addTopic(alias(a[0]), a[1], int32(number(a[2]))); return "" },
	"policy":  func(w *world, a []string) string { w.policy = Uncommitted(a[0]); return "" },
	"produce": func(w *world, a []string) string { w.part(a[0]).produce(number(a[1]), true); return "" },
	"marker":  func(w *world, a []string) string { w.part(a[0]).produce(1, false); return "" },
	"copy":    (*world).copyCommand,
	"fence":   func(w *world, a []string) string { return failed(w.part(a[0]).others(alias(a[1]), 1, true)) },
	"foreign": func(w *world, a []string) string {
		return failed(w.part(a[0]).others(alias(a[1]), number(a[2]), false))
	},
	"start": func(w *world, a []string) string { w.sites[alias(a[0])].state = "Stable"; return "" },
	"stop":  func(w *world, a []string) string { w.sites[alias(a[0])].state = "Empty"; return "" },
	"type": func(w *world, a []string) string {
		s := w.sites[alias(a[0])]
		s.group, s.protocol = a[1], a[2]
		return ""
	},
	"unread":  func(w *world, a []string) string { w.sites[alias(a[0])].unread = true; return "" },
	"read":    func(w *world, a []string) string { w.sites[alias(a[0])].unread = false; return "" },
	"consume": (*world).consumeCommand,
	"commit":  (*world).commitCommand,
	"delete":  func(w *world, a []string) string { clear(w.sites[alias(a[0])].commits); return "" },
	"retain":  (*world).retainCommand,
	"lose":    (*world).loseCommand,
	"cut":     func(w *world, a []string) string { p := w.part(a[0]); p.slots = p.slots[:number(a[1])]; return "" },
	"thin":    func(w *world, a []string) string { thinAll(w.part(a[0]).copies[alias(a[1])].m); return "" },
	"sync":    (*world).syncCommand,
	"custody": func(w *world, a []string) string { return string(w.sites[alias(a[0])].custody) + "\n" },
}

// copyCommand: copy [PARTITION CLUSTER N]; without arguments, all there is.
func (w *world) copyCommand(a []string) string {
	if len(a) > 0 {
		return failed(w.part(a[0]).copyTo(alias(a[1]), number(a[2])))
	}
	var out strings.Builder
	for _, p := range w.parts {
		for _, c := range w.clusters {
			if c != p.id.Origin && p.copies[c].m != nil {
				out.WriteString(failed(p.copyTo(c, len(p.slots))))
			}
		}
	}
	return out.String()
}

// consumeCommand: consume CLUSTER PARTITION N.
func (w *world) consumeCommand(a []string) string {
	again, err := w.consume(w.part(a[1]), alias(a[0]), number(a[2]))
	return failed(err) + fmt.Sprintf("%s: %d read again, committed %d\n", a[1], again, w.sites[alias(a[0])].commits[w.part(a[1]).at(alias(a[0]))].Offset)
}

// commitCommand: commit CLUSTER PARTITION OFFSET [METADATA]; an offset of "none" deletes it.
func (w *world) commitCommand(a []string) string {
	tp := w.part(a[1]).at(alias(a[0]))
	if a[2] == "none" {
		delete(w.sites[alias(a[0])].commits, tp)
		return ""
	}
	c := Commit{Offset: Dest(number(a[2]))}
	if len(a) > 3 {
		c.Metadata = a[3]
	}
	w.sites[alias(a[0])].commits[tp] = c
	return ""
}

// retainCommand: retain CLUSTER PARTITION START.
func (w *world) retainCommand(a []string) string {
	p, start := w.part(a[1]), Dest(number(a[2]))
	if alias(a[0]) == p.id.Origin {
		p.start = start
		return ""
	}
	p.copies[alias(a[0])].start = start
	p.copies[alias(a[0])].m.TrimDest(start)
	return ""
}

// loseCommand: lose PARTITION CLUSTER [known|unknown SRC DST]; the map is gone, or another one begins.
func (w *world) loseCommand(a []string) string {
	to := w.part(a[0]).copies[alias(a[1])]
	to.m = nil
	if len(a) > 2 {
		begin := map[string]func(Point) *Map{"known": New, "unknown": NewUnknown}[a[2]]
		to.m = begin(Point{Src: Source(number(a[3])), Dst: Dest(number(a[4]))})
		to.next = int64(number(a[3]))
	}
	return ""
}

// syncCommand: sync CLUSTER; prints what was decided.
func (w *world) syncCommand(a []string) string {
	d, err := w.sync(alias(a[0]))
	var out strings.Builder
	out.WriteString(failed(err))
	for _, p := range d.Placements {
		exact := "exact"
		if !p.Exact {
			exact = fmt.Sprintf("re-reads at most %d", p.Reread)
		}
		switch {
		case p.Place():
			fmt.Fprintf(&out, "%s: place %d %q (%s, %s)\n", p.At, p.Offset, p.Metadata, p.How, exact)
		case p.How != "":
			fmt.Fprintf(&out, "%s: %s, at %s; %d (%s, %s)\n", p.At, p.Reason, p.Cluster, p.Offset, p.How, exact)
		default:
			fmt.Fprintf(&out, "%s: %s, at %s\n", p.At, p.Reason, p.Cluster)
		}
	}
	if d.Write && d.Custody.Separate {
		out.WriteString("written: separate\n")
	}
	return out.String()
}
