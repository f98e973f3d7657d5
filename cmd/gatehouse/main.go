// Command gatehouse is the command line of Gatehouse. Installed as kubectl-gatehouse on the PATH it is also
// `kubectl gatehouse`. It acts with the rights of whoever calls it.
package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
)

// version is set by the linker.
var version = "dev"

func main() {
	if err := root().Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func root() *cobra.Command {
	cluster := genericclioptions.NewConfigFlags(true)
	command := &cobra.Command{
		Use:           "gatehouse",
		Short:         "Work with MCP servers behind their gates",
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	cluster.AddFlags(command.PersistentFlags())
	command.AddCommand(tokenCommand(cluster))
	return command
}
