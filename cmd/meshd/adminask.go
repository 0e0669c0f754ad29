package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/spf13/cobra"
)

// askAll asks all nodes at once, and returns what those that answered said, in the order in which they were named. The others are
// told on stderr; where none answered, that is the error.
func askAll[T any](cmd *cobra.Command, c *adminClient, path string, query url.Values) ([]T, error) {
	answers, errs := make([]T, len(c.nodes)), make([]error, len(c.nodes))
	var wg sync.WaitGroup
	for i, node := range c.nodes {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(cmd.Context(), askTimeout)
			defer cancel()
			errs[i] = c.get(ctx, node, path, query, &answers[i])
		})
	}
	wg.Wait()
	var out []T
	for i := range c.nodes {
		if errs[i] == nil {
			out = append(out, answers[i])
		}
	}
	if len(out) == 0 {
		return nil, noAnswer(errs)
	}
	for _, err := range errs {
		if err != nil {
			_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "warning: %v\n  what this node holds is missing below\n", err) // nobody is left to tell
		}
	}
	return out, nil
}

// askOne asks node after node until one answers.
func askOne[T any](cmd *cobra.Command, c *adminClient, path string, query url.Values, timeout time.Duration) (T, error) {
	var errs []error
	for _, node := range c.nodes {
		var answer T
		ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
		err := c.get(ctx, node, path, query, &answer)
		cancel()
		if err == nil {
			return answer, nil
		}
		errs = append(errs, err)
	}
	var none T
	return none, noAnswer(errs)
}

// noAnswer is the error where no node answered. One that said no knows more than one that said nothing.
func noAnswer(errs []error) error {
	for _, err := range errs {
		if no, ok := errors.AsType[*answerError](err); ok {
			return no
		}
	}
	return fmt.Errorf("no node answered:\n%w\n  hint: name nodes with --admin or MESHD_ADMIN; is meshd running there?", errors.Join(errs...))
}
