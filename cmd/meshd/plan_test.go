package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/meshd/meshd/admin"
)

// What an import left out is listed once, whoever reads there.
func TestPlanListsImports(t *testing.T) {
	t.Parallel()
	flows := []admin.FlowStatus{
		{Topic: "orders", Source: "eu", Destination: "ap", BelowCut: 600}, {Topic: "orders", Source: "eu", Destination: "us", BelowCut: 600}, {Topic: "orders", Source: "us", Destination: "eu"},
	}
	got := leftOuts(flows)
	if want := []leftOut{{"orders", "eu", 600}}; !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	var b strings.Builder
	if err := (plan{Imports: got}).print(&b, "f"); err != nil || !strings.Contains(b.String(), "orders of eu: 600 offsets\n") {
		t.Errorf("%s, %v", b.String(), err)
	}
}
