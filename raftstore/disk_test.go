package raftstore

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/raft"
	"pgregory.net/rapid"

	"github.com/meshd/meshd/raftstore/state"
)

func TestDirIsLockedAndOwned(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "data")
	id := Identity{Mesh: "retail", Datacenter: "us-east", Node: "us-1"}
	d, err := OpenDir(path, id)
	if err != nil {
		t.Fatal(err)
	}
	_, err = OpenDir(path, id)
	for _, word := range []string{path, "in use by another node", "us-1", "--data-dir"} {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("a second node: %v does not say %q", err, word)
		}
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = OpenDir(path, Identity{Mesh: "retail", Datacenter: "us-east", Node: "us-2"})
	for _, word := range []string{path, "belongs to node us-1", "this is node us-2"} {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("another node: %v does not say %q", err, word)
		}
	}
	if d, err = OpenDir(path, id); err != nil {
		t.Fatalf("the same node again: %v", err)
	}
	defer d.Close()
	if _, err := OpenDir(filepath.Join(path, "lock"), id); err == nil {
		t.Error("a file is taken for a directory")
	}
}

func TestWriteFileReplacesWhole(t *testing.T) {
	d, err := OpenDir(t.TempDir(), Identity{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for _, content := range []string{"a long first content", "short"} {
		if err := d.WriteFile("x", []byte(content)); err != nil {
			t.Fatal(err)
		}
		if got, err := d.ReadFile("x"); err != nil || string(got) != content {
			t.Errorf("%q %v", got, err)
		}
	}
	left, err := filepath.Glob(filepath.Join(d.Path(), "*.tmp"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	if err := os.RemoveAll(d.Path()); err != nil {
		t.Fatal(err)
	}
	if err := d.WriteFile("x", nil); err == nil || !strings.Contains(err.Error(), d.Path()) {
		t.Errorf("a directory that is gone: %v", err)
	}
}

// While raft replays its log after a restart, what is published stays where it was.
func TestPublishedNeverGoesBack(t *testing.T) {
	d, err := OpenDir(t.TempDir(), Identity{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	old, _ := state.Apply(state.State{}, assign(0, "n0"))
	newer, _ := state.Apply(old, assign(1, "n1"))
	p, err := openPublished(d, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	p.set(7, newer)
	for range 2 {
		p.set(6, old)
		if s, index := p.get(); index != 7 || s.Assignment.Epoch != 2 {
			t.Fatalf("index %d, epoch %d", index, s.Assignment.Epoch)
		}
		if p, err = openPublished(d, slog.New(slog.DiscardHandler)); err != nil { // as after a restart
			t.Fatal(err)
		}
	}
}

func entries() *rapid.Generator[*raft.Log] {
	return rapid.Custom(func(t *rapid.T) *raft.Log {
		l := &raft.Log{
			Index: rapid.Uint64Range(1, 20).Draw(t, "index"), Term: rapid.Uint64().Draw(t, "term"),
			Type: raft.LogType(rapid.IntRange(0, 5).Draw(t, "type")),
		}
		if data := rapid.SliceOf(rapid.Byte()).Draw(t, "data"); len(data) > 0 {
			l.Data = data
		}
		if extensions := rapid.SliceOf(rapid.Byte()).Draw(t, "extensions"); len(extensions) > 0 {
			l.Extensions = extensions
		}
		if ns := rapid.Int64Range(0, 1<<60).Draw(t, "appended"); ns > 0 {
			l.AppendedAt = time.Unix(0, ns)
		}
		return l
	})
}

// The log store against a map, through reopening.
func TestBoltLogIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "boltlog") //nolint:usetesting // rapid has no TempDir for each run
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		store := reopen(t, nil, dir)
		defer func() { _ = store.close() }()
		model := map[uint64]*raft.Log{}
		for range rapid.IntRange(1, 15).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0, 1:
				logs := rapid.SliceOfN(entries(), 1, 4).Draw(t, "logs")
				if err := store.StoreLogs(logs); err != nil {
					t.Fatal(err)
				}
				for _, l := range logs {
					model[l.Index] = l
				}
			case 2:
				first, last := rapid.Uint64Range(0, 21).Draw(t, "first"), rapid.Uint64Range(0, 21).Draw(t, "last")
				if err := store.DeleteRange(first, last); err != nil {
					t.Fatal(err)
				}
				for i := first; i <= last; i++ {
					delete(model, i)
				}
			case 3:
				store = reopen(t, store, dir)
			}
			compare(t, store, model)
		}
	})
}

func reopen(t *rapid.T, store *boltLog, dir string) *boltLog {
	if store != nil {
		if err := store.close(); err != nil {
			t.Fatal(err)
		}
	}
	store, err := openBoltLog(filepath.Join(dir, "raft.db"))
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func compare(t *rapid.T, store *boltLog, model map[uint64]*raft.Log) {
	var first, last uint64
	for i := uint64(1); i <= 20; i++ {
		var got raft.Log
		err := store.GetLog(i, &got)
		want, ok := model[i]
		if !ok {
			if !errors.Is(err, raft.ErrLogNotFound) {
				t.Fatalf("entry %d, which there is not: %v", i, err)
			}
			continue
		}
		if diff := cmp.Diff(*want, got); err != nil || diff != "" {
			t.Fatalf("entry %d: %v\n%s", i, err, diff)
		}
		if last = i; first == 0 {
			first = i
		}
	}
	gotFirst, err1 := store.FirstIndex()
	gotLast, err2 := store.LastIndex()
	if gotFirst != first || gotLast != last || err1 != nil || err2 != nil {
		t.Fatalf("from %d to %d, want %d to %d: %v %v", gotFirst, gotLast, first, last, err1, err2)
	}
}

func TestStableStore(t *testing.T) {
	store, err := openBoltLog(filepath.Join(t.TempDir(), "raft.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.close()
	if v, err := store.Get([]byte("k")); v != nil || err != nil {
		t.Errorf("nothing: %v %v", v, err)
	}
	if n, err := store.GetUint64([]byte("k")); n != 0 || err != nil {
		t.Errorf("no number: %v %v", n, err)
	}
	if err := errors.Join(store.SetUint64([]byte("k"), 1<<40), store.Set([]byte("v"), []byte("abc"))); err != nil {
		t.Fatal(err)
	}
	if n, err := store.GetUint64([]byte("k")); n != 1<<40 || err != nil {
		t.Errorf("number: %v %v", n, err)
	}
	if v, err := store.Get([]byte("v")); string(v) != "abc" || err != nil {
		t.Errorf("value: %v %v", v, err)
	}
	if _, err := store.GetUint64([]byte("v")); err == nil {
		t.Error("three bytes are taken for a number")
	}
}

func FuzzDecodeLog(f *testing.F) {
	f.Add(encodeLog(&raft.Log{Index: 1, Term: 2, Type: raft.LogNoop, Data: []byte("data"), AppendedAt: time.Unix(1, 2)}))
	f.Add([]byte{logVersion, 0, 1, 1, 0, 200, 1})
	f.Fuzz(func(t *testing.T, raw []byte) {
		l, err := decodeLog(raw)
		if err != nil {
			return
		}
		again, err := decodeLog(encodeLog(&l))
		if diff := cmp.Diff(l, again); err != nil || diff != "" {
			t.Fatalf("%v\n%s", err, diff)
		}
	})
}

func BenchmarkStoreLog(b *testing.B) {
	store, err := openBoltLog(filepath.Join(b.TempDir(), "raft.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer store.close()
	entry := raft.Log{Data: make([]byte, 1024)}
	for b.Loop() {
		entry.Index++
		if err := store.StoreLog(&entry); err != nil {
			b.Fatal(err)
		}
	}
}
