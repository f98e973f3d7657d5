package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

const tokenLong = `Mint a token for an MCPServer with the key that Gatehouse manages for it, and print it.

Needs the right to get the MCPServer and the Secret NAME-keys. Whoever has that right can mint any token for this
server, so give it to those alone who may.`

const tokenExample = `  # list the tools of the MCPServer "everything", over a port-forward
  curl -H "Authorization: Bearer $(kubectl gatehouse token everything)" ...

  # a token for somebody, for a day
  kubectl gatehouse token everything --subject alice@example.com --ttl 24h`

type tokenOptions struct {
	provider string
	subject  string
	scope    string
	ttl      time.Duration
}

func tokenCommand() *cobra.Command {
	var o tokenOptions
	var cluster cli.ConnectFunc
	command := &cobra.Command{
		Use:     "token NAME",
		Short:   "Mint a token for an MCPServer",
		Long:    tokenLong,
		Example: tokenExample,
		Args:    cli.Args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, namespace, err := cluster()
			if err != nil {
				return err
			}
			defer cli.AnnounceSlow(cmd.ErrOrStderr(), cli.WaitingForCluster)()
			minted, err := mint(cmd.Context(), c, client.ObjectKey{Namespace: namespace, Name: args[0]}, o, time.Now())
			if err != nil {
				return err
			}
			if hint := scopeHint(cmd.Context(), c, client.ObjectKey{Namespace: namespace, Name: args[0]}, o.scope); hint != "" {
				fmt.Fprintln(cmd.ErrOrStderr(), hint)
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), minted)
			return err
		},
	}
	cluster = cli.AddClusterFlags(command)
	cli.CompleteArgs(command, cluster, 1, cli.ServerNames)
	command.Flags().StringVar(&o.provider, "provider", "", "the provider of type Managed to mint for; there is one at most, so it need not be named")
	command.Flags().StringVar(&o.subject, "subject", "gatehouse-cli", `who the token is for: its "sub" claim`)
	command.Flags().StringVar(&o.scope, "scope", "", `scopes, separated by spaces: its "scope" claim`)
	command.Flags().DurationVar(&o.ttl, "ttl", time.Hour, "how long the token is good")
	return command
}

// keysUnread says why the Secret with the keys of a server could not be read, and what to do.
func keysUnread(server client.ObjectKey, name string, err error) error {
	switch {
	case apierrors.IsNotFound(err):
		return fmt.Errorf("MCPServer %s has no keys yet: there is no Secret %s. To see why, run gatehouse status %s --namespace %s",
			server, name, server.Name, server.Namespace)
	case apierrors.IsForbidden(err):
		return fmt.Errorf("read the keys of MCPServer %s: %w. Whoever may read Secret %s can mint any token for this server: ask for that right, or for a token",
			server, err, name)
	}
	return cli.Explain("read the keys of MCPServer "+server.String(), err)
}

// mint makes a token with the server's managed key. It refuses a lifetime that the gate would refuse.
func mint(ctx context.Context, c client.Reader, server client.ObjectKey, o tokenOptions, now time.Time) (string, error) {
	if o.ttl < time.Second {
		return "", cli.UsageError(fmt.Errorf("--ttl %s: give how long the token is good from now on, one second at least, such as 1h", o.ttl))
	}
	found, err := cli.GetServer(ctx, c, server)
	if err != nil {
		return "", err
	}
	provider, managed := desired.Resolve(found).Managed()
	switch {
	case !managed:
		return "", fmt.Errorf("MCPServer %s has no provider of type Managed: only their own issuers can mint tokens for its providers", server)
	case o.provider != "" && o.provider != provider.Name:
		return "", fmt.Errorf("--provider %s: only for provider %s, which is of type Managed, can a token be minted here", o.provider, provider.Name)
	}
	longest := time.Duration(provider.MaxTokenLifetimeSeconds) * time.Second
	if longest > 0 && o.ttl > longest {
		return "", cli.UsageError(fmt.Errorf("--ttl %s: the gate accepts tokens that live at most %s (maxTokenLifetimeSeconds)", o.ttl, longest))
	}
	var secret corev1.Secret
	name := desired.KeysSecretName(found)
	if err := c.Get(ctx, client.ObjectKey{Namespace: server.Namespace, Name: name}, &secret); err != nil {
		return "", keysUnread(server, name, err)
	}
	set, err := keys.ParsePrivate(secret.Data[gateapi.KeysFile(provider.Name)])
	if err != nil {
		return "", fmt.Errorf("read the keys in Secret %s: %w", name, err)
	}
	return token.Template{
		Key: set[0], Issuer: desired.ManagedIssuer(found), Audience: desired.ManagedIssuer(found),
		Subject: o.subject, Scope: o.scope, Lifetime: o.ttl,
	}.Good(now)
}
