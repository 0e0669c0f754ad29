package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// outputFlag is the form in which a command shows what it found.
type outputFlag struct{ output string }

func (f *outputFlag) addTo(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&f.output, "output", "o", "table", "table, or json for programs")
}

func (f *outputFlag) check() error {
	if f.output != "table" && f.output != "json" {
		return usageError{fmt.Errorf("--output wants table or json, not %q", f.output)}
	}
	return nil
}

// show prints an answer in the form that was asked for.
func (f *outputFlag) show(cmd *cobra.Command, answer any, table func(io.Writer) error) error {
	if f.output != "json" {
		return table(cmd.OutOrStdout())
	}
	return printJSON(cmd.OutOrStdout(), answer)
}

func printJSON(w io.Writer, answer any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(answer)
}
