package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// completionTimeout bounds what a shell waits for at the press of a key.
const completionTimeout = 3 * time.Second

// Completer returns words with which an argument may go on. What cannot be found out is no error: a shell shows none.
type Completer func(ctx context.Context, c client.Client, namespace string, args []string) []string

// CompleteArgs has the arguments of a command completed, from the cluster that its flags name. count is how many arguments
// there are at most.
func CompleteArgs(command *cobra.Command, cluster ConnectFunc, count int, complete Completer) {
	command.ValidArgsFunction = func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		if len(args) >= count {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return completion(cmd, cluster, args, begun, complete)
	}
}

func completion(cmd *cobra.Command, cluster ConnectFunc, args []string, begun string, complete Completer) ([]string, cobra.ShellCompDirective) {
	c, namespace, err := cluster()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	parent := cmd.Context()
	if parent == nil {
		parent = context.Background()
	}
	ctx, cancel := context.WithTimeout(parent, completionTimeout)
	defer cancel()
	var out []string
	for _, word := range complete(ctx, c, namespace, args) {
		if strings.HasPrefix(word, begun) {
			out = append(out, word)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// ServerNames returns the names of the MCPServers of the namespace.
func ServerNames(ctx context.Context, c client.Client, namespace string, _ []string) []string {
	var list v1alpha1.MCPServerList
	if c.List(ctx, &list, client.InNamespace(namespace)) != nil {
		return nil
	}
	var out []string
	for _, server := range list.Items {
		out = append(out, server.Name)
	}
	return out
}

func namespaceNames(ctx context.Context, c client.Client, _ string, _ []string) []string {
	var list corev1.NamespaceList
	if c.List(ctx, &list) != nil {
		return nil
	}
	var out []string
	for _, namespace := range list.Items {
		out = append(out, namespace.Name)
	}
	return out
}

// CompleteFlag has the value of a flag completed with words that are known.
func CompleteFlag(command *cobra.Command, flag string, words ...string) {
	// It fails for a flag that is not there, or that was given a completion before: a slip in this program.
	if err := command.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err)
	}
}

// completeNamespace has --namespace completed from the cluster.
func completeNamespace(command *cobra.Command, cluster ConnectFunc) {
	complete := func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		return completion(cmd, cluster, args, begun, namespaceNames)
	}
	if err := command.RegisterFlagCompletionFunc("namespace", complete); err != nil {
		panic(err)
	}
}
