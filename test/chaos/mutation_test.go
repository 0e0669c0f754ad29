package chaos

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshd/meshd/test/validate"
)

// mutation is a piece of the code that is made wrong.
type mutation struct {
	name     string
	file     string // below the module's root
	old, new string
	scenario *scenario
	caught   []validate.Kind // by one of which
	quick    bool            // it is in the normal suite
}

var mutations = []mutation{{
	name: "no fence", file: "flow/fence.go",
	old:      "\tif f.plain {\n\t\tf.readOn(ctx, todo, out)\n",
	new:      "\tif true {\n\t\tf.readOn(ctx, todo, out)\n",
	scenario: &lateBatches, caught: []validate.Kind{validate.Duplicated},
}, {
	name: "fence believed before the marker was read back", file: "flow/fence.go",
	old:      "\t\tf.readBack(ctx, open, out, time.Now().Add(fenceAgain))\n",
	new:      "\t\tf.readOn(ctx, open, out)\n\t\tfor _, s := range open {\n\t\t\ts.done = true\n\t\t}\n",
	scenario: &unseenBatches, caught: []validate.Kind{validate.Duplicated},
}, {
	name: "progress not fenced", file: "flow/ledger.go",
	old:      "b.Finish(l.id.ID, l.id.Epoch, sequence(l.written))",
	new:      "b.Finish(-1, -1, -1)",
	scenario: &lateProgress, caught: []validate.Kind{validate.Duplicated},
}, {
	name: "runs noted after producing", file: "flow/part_send.go",
	old:      "\t\t\tp.owner.needNote(p)\n\t\t\treturn\n",
	new:      "\t\t\tp.owner.needNote(p)\n",
	scenario: &unnotedRuns, caught: []validate.Kind{validate.Duplicated},
}, {
	name: "sequences not read at resume", file: "flow/resume.go",
	old:      "prog.Resume(f.tail)",
	new:      "prog.Resume(nil)",
	scenario: &unsavedPlace, caught: []validate.Kind{validate.Duplicated},
}, {
	name: "sequence not begun anew with an epoch", file: "flow/resume.go",
	old:      "\tif prog.Owner != l.id {\n\t\twritten = 0 ",
	new:      "\tif false {\n\t\twritten = 0 ",
	scenario: &unsavedPlace, caught: []validate.Kind{validate.Lost},
}, {
	name: "a header dropped", file: "kafka/batch/builder.go",
	old:      "\tif !b.begin(r, len(r.Body)) {\n",
	new:      "\tr.Body = append(r.Body[:headersAt(r.Body):headersAt(r.Body)], 0)\n\tif !b.begin(r, len(r.Body)) {\n",
	scenario: &rewritten, caught: []validate.Kind{validate.Different}, quick: true,
}, {
	name: "null made empty", file: "kafka/batch/builder.go",
	old:      "\tif !b.begin(r, len(r.Body)) {\n",
	new:      "\tif _, value := field(r.Body); value[0] == 1 {\n\t\tvalue[0] = 0\n\t}\n\tif !b.begin(r, len(r.Body)) {\n",
	scenario: &rewritten, caught: []validate.Kind{validate.Different}, quick: true,
}}

// mutant is the file with the mutation in it. One that does not fit the code any more is an error.
func (m mutation) mutant(root string) (string, error) {
	content, err := os.ReadFile(filepath.Join(root, m.file))
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(content), m.old); n != 1 {
		return "", fmt.Errorf("%s: what is to be mutated stands %d times in %s, not once:\n%s", m.name, n, m.file, m.old)
	}
	return strings.Replace(string(content), m.old, m.new, 1), nil
}

// build builds meshd with the mutation, as `go help build` says of -overlay.
func (m mutation) build(dir string) (path string, err error) {
	root, err := filepath.Abs("../..")
	if err != nil {
		return "", err
	}
	text, err := m.mutant(root)
	if err != nil {
		return "", err
	}
	mutant, overlay := filepath.Join(dir, "mutant.go"), filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(mutant, []byte(text), 0o600); err != nil {
		return "", err
	}
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(root, m.file): mutant}})
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(overlay, replace, 0o600); err != nil {
		return "", err
	}
	path = filepath.Join(dir, "meshd")
	return path, build(path, "-overlay", overlay)
}

// Every mutation fits the code as it is.
func TestMutationsFit(t *testing.T) {
	for _, m := range mutations {
		if _, err := m.mutant("../.."); err != nil {
			t.Error(err)
		}
	}
}
