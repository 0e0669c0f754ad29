package chaos

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshd/meshd/internal/kafkatest"
	"github.com/meshd/meshd/internal/mutant"
)

var (
	seeds   = flag.Int("seeds", 1, "how many seeds, one after the other")
	first   = flag.Uint64("seed", 1, "the first of them")
	every   = flag.Bool("every", false, "every mutation, not the quick ones alone")
	reports = flag.String("reports", "", "folder for a file a seed; of one that failed, the logs too")
)

// binary is meshd as it is.
var binary string

// table is what the run comes to, a line a seed and a mutation.
var table []string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	flag.Parse()
	dir, err := os.MkdirTemp("", "meshd-chaos-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if *reports == "" {
		*reports = dir
	}
	binary = filepath.Join(dir, "meshd")
	if kafkatest.Real() {
		if err := mutant.Build(binary); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	code := m.Run()
	if len(table) > 0 {
		fmt.Printf("\n%s\n", strings.Join(table, "\n"))
	}
	return code
}

// note adds a line to the table.
func note(format string, values ...any) { table = append(table, fmt.Sprintf(format, values...)) }
