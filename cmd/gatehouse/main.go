// Command gatehouse is the command line of Gatehouse. Installed as kubectl-gatehouse on the PATH it is also
// `kubectl gatehouse`. It acts with the rights of whoever calls it.
package main

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli"
	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/serverkeys"
	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/serverprobe"
	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/status"
)

// version is set by the linker.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Run(ctx, root(), argumentsOf(os.Args), os.Stdin, os.Stdout, os.Stderr)
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

func root() *cobra.Command {
	command := &cobra.Command{
		Use:     "gatehouse",
		Short:   "Work with MCP servers behind their gates",
		Version: version,
		Args:    cli.Args(cobra.NoArgs),
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	if strings.HasPrefix(filepath.Base(os.Args[0]), "kubectl-") { // how it is called is how it calls itself
		command.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl gatehouse"}
	}
	command.AddCommand(serverprobe.NewCommand(), status.NewCommand(), serverkeys.NewCommand(), tokenCommand(), versionCommand())
	return command
}
