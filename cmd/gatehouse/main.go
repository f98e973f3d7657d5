// Command gatehouse is the command line of Gatehouse. Installed as kubectl-gatehouse on the PATH it is also
// `kubectl gatehouse`. It acts with the rights of whoever calls it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set by the linker.
var version = "dev"

// Exit statuses. Those of a verdict are of probe alone, where 1 means nothing else.
const (
	exitOK        = 0
	exitFailed    = 1
	exitUsage     = 2
	exitNotProven = 3
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, argumentsOf(os.Args), os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// argumentsOf are the arguments of the process. Called as kubectl_complete-gatehouse, which is how kubectl asks a plugin for
// completions, it completes what it was given.
func argumentsOf(args []string) []string {
	if strings.HasPrefix(filepath.Base(args[0]), "kubectl_complete-") {
		return append([]string{cobra.ShellCompRequestCmd}, args[1:]...)
	}
	return args[1:]
}

// run is main with its surroundings passed in; it returns the exit status.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	command := root()
	command.SetArgs(append([]string{}, args...)) // nil would stand for those of the process
	command.SetIn(stdin)
	command.SetOut(stdout)
	command.SetErr(stderr)
	err := command.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	var exit *exitError
	if !errors.As(err, &exit) {
		exit = &exitError{code: exitFailed, err: err}
	}
	if exit.err != nil {
		fmt.Fprintln(stderr, "error:", exit.err)
	}
	return exit.code
}

// exitError ends the program with a status; without err nothing more is said.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// misuse is the error for a command that cannot be carried out as it was given; nil for nil.
func misuse(err error) error {
	if err == nil {
		return nil
	}
	return &exitError{code: exitUsage, err: err}
}

func root() *cobra.Command {
	command := &cobra.Command{
		Use:           "gatehouse",
		Short:         "Work with MCP servers behind their gates",
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          arguments(cobra.NoArgs),
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	if strings.HasPrefix(filepath.Base(os.Args[0]), "kubectl-") { // how it is called is how it calls itself
		command.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl gatehouse"}
	}
	command.SetFlagErrorFunc(misused)
	command.AddCommand(probeCommand(), statusCommand(), keysCommand(), tokenCommand(), versionCommand())
	return command
}

// arguments makes a wrong number of arguments a misuse.
func arguments(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error { return misused(cmd, check(cmd, args)) }
}

// misused says where to read how the command is used; nil for nil.
func misused(cmd *cobra.Command, err error) error {
	if err == nil {
		return nil
	}
	return misuse(fmt.Errorf("%w; see %s --help", err, cmd.CommandPath()))
}
