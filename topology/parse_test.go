package topology

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write the messages of testdata/bad anew")

// TestBad compares what is said about each bad file with the text beside it.
func TestBad(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) < 60 {
		t.Fatalf("found %d bad files: %v", len(files), err)
	}
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			data, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			topo, err := Parse(filepath.Base(f), data)
			if err == nil {
				t.Fatal("accepted")
			}
			if topo != nil {
				t.Error("refused, and yet there is a topology")
			}
			compare(t, strings.TrimSuffix(f, ".yaml")+".txt", err.Error()+"\n")
		})
	}
}

// TestGood compares the warnings of each good file with the text beside it, if there is one.
func TestGood(t *testing.T) {
	files, err := filepath.Glob("testdata/good/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("found %d good files: %v", len(files), err)
	}
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			data, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			topo, err := Parse(filepath.Base(f), data)
			if err != nil {
				t.Fatalf("refused:\n%v", err)
			}
			warnings := "none\n"
			if ws := topo.Warnings(); len(ws) > 0 {
				warnings = Problems(ws).Error() + "\n"
			}
			compare(t, strings.TrimSuffix(f, ".yaml")+".txt", warnings)
		})
	}
}

func compare(t *testing.T, file, got string) {
	t.Helper()
	if *rewrite {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got:\n%s\nwant, in %s:\n%s", got, file, want)
	}
}
