// Package cli is what the subcommands of gatehouse share: how they reach a cluster, how they complete arguments, how they
// print, and how an error becomes an exit status. It knows no subcommand.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// Exit statuses. Those of a verdict are of probe alone, where 1 means nothing else.
const (
	ExitOK        = 0
	ExitFailed    = 1
	ExitUsage     = 2
	ExitNotProven = 3
)

// Run executes a root command with these arguments and streams, prints its error, and returns the exit status.
func Run(ctx context.Context, root *cobra.Command, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root.SilenceUsage, root.SilenceErrors = true, true
	root.SetFlagErrorFunc(UsageErrorWithHint)
	root.SetArgs(append([]string{}, args...)) // nil would stand for those of the process
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return ExitOK
	}
	var exit *ExitError
	if !errors.As(err, &exit) {
		exit = &ExitError{Code: ExitFailed, Err: err}
	}
	if exit.Err != nil {
		fmt.Fprintln(stderr, "error:", exit.Err)
	}
	return exit.Code
}

// ExitError ends the program with a status. Without Err nothing more is printed.
type ExitError struct {
	Code int
	Err  error
}

func (e *ExitError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit status %d", e.Code)
	}
	return e.Err.Error()
}

func (e *ExitError) Unwrap() error { return e.Err }

// UsageError returns the error for a command that cannot be carried out as it was given; nil for nil.
func UsageError(err error) error {
	if err == nil {
		return nil
	}
	return &ExitError{Code: ExitUsage, Err: err}
}

// UsageErrorWithHint returns a UsageError that says where to read how the command is used; nil for nil.
func UsageErrorWithHint(cmd *cobra.Command, err error) error {
	if err == nil {
		return nil
	}
	return UsageError(fmt.Errorf("%w; see %s --help", err, cmd.CommandPath()))
}

// Args returns a check of the arguments for which a wrong number of them is a UsageError.
func Args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error { return UsageErrorWithHint(cmd, check(cmd, args)) }
}
