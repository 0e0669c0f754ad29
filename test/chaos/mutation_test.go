package chaos

import (
	"testing"

	"github.com/meshd/meshd/internal/mutant"
	"github.com/meshd/meshd/test/validate"
)

// mutation is a piece of the code that is made wrong, and where that shows.
type mutation struct {
	mutant.Mutation
	scenario *scenario
	caught   []validate.Kind // by one of which
	quick    bool            // it is in the normal suite
}

var mutations = []mutation{{
	Mutation: mutant.Mutation{
		Name: "no fence", File: "flow/fence.go",
		Old: "\tif f.plain {\n\t\tf.readOn(ctx, todo, out)\n",
		New: "\tif true {\n\t\tf.readOn(ctx, todo, out)\n",
	},
	scenario: &lateBatches, caught: []validate.Kind{validate.Duplicated},
}, {
	Mutation: mutant.Mutation{
		Name: "fence believed before the marker was read back", File: "flow/fence.go",
		Old: "\t\tf.readBack(ctx, open, out, time.Now().Add(fenceAgain))\n",
		New: "\t\tf.readOn(ctx, open, out)\n\t\tfor _, s := range open {\n\t\t\ts.done = true\n\t\t}\n",
	},
	scenario: &unseenBatches, caught: []validate.Kind{validate.Duplicated},
}, {
	Mutation: mutant.Mutation{
		Name: "progress not fenced", File: "flow/ledger.go",
		Old: "b.Finish(l.id.ID, l.id.Epoch, sequence(l.written))",
		New: "b.Finish(-1, -1, -1)",
	},
	scenario: &lateProgress, caught: []validate.Kind{validate.Duplicated},
}, {
	Mutation: mutant.Mutation{
		Name: "runs noted after producing", File: "flow/part_send.go",
		Old: "\t\t\tp.owner.needNote(p)\n\t\t\treturn\n",
		New: "\t\t\tp.owner.needNote(p)\n",
	},
	scenario: &unnotedRuns, caught: []validate.Kind{validate.Duplicated},
}, {
	Mutation: mutant.Mutation{
		Name: "sequences not read at resume", File: "flow/resume.go",
		Old: "prog.Resume(f.tail)",
		New: "prog.Resume(nil)",
	},
	scenario: &unsavedPlace, caught: []validate.Kind{validate.Duplicated},
}, {
	Mutation: mutant.Mutation{
		Name: "sequence not begun anew with an epoch", File: "flow/resume.go",
		Old: "\tif prog.Owner != l.id {\n\t\twritten = 0 ",
		New: "\tif false {\n\t\twritten = 0 ",
	},
	scenario: &unsavedPlace, caught: []validate.Kind{validate.Lost},
}, {
	Mutation: mutant.Mutation{
		Name: "a header dropped", File: "kafka/batch/builder.go",
		Old: "\tif !b.begin(r, len(r.Body)) {\n",
		New: "\tr.Body = append(r.Body[:headersAt(r.Body):headersAt(r.Body)], 0)\n\tif !b.begin(r, len(r.Body)) {\n",
	},
	scenario: &rewritten, caught: []validate.Kind{validate.Different}, quick: true,
}, {
	Mutation: mutant.Mutation{
		Name: "null made empty", File: "kafka/batch/builder.go",
		Old: "\tif !b.begin(r, len(r.Body)) {\n",
		New: "\tif _, value := field(r.Body); value[0] == 1 {\n\t\tvalue[0] = 0\n\t}\n\tif !b.begin(r, len(r.Body)) {\n",
	},
	scenario: &rewritten, caught: []validate.Kind{validate.Different}, quick: true,
}}

// root is the module's.
const root = "../.."

// Every mutation fits the code as it is.
func TestMutationsFit(t *testing.T) {
	for _, m := range mutations {
		if _, err := m.Text(root); err != nil {
			t.Error(err)
		}
	}
}
