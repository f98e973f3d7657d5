package serverkeys

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/keyobjects"
)

const exportLong = `Write the keys of type Managed of an MCPServer to standard output, as a Secret in YAML, for a backup or for a move.

The output holds private keys: whoever reads it can mint tokens. Encrypt it before it is stored.

Needs the right to get the MCPServer and its Secret NAME-keys.`

const moveExample = `  gatehouse keys export everything > keys.yaml
  gatehouse keys import everything --context new-cluster -f keys.yaml`

func exportCommand() *cobra.Command {
	var cluster cli.ConnectFunc
	command := &cobra.Command{
		Use:     "export NAME",
		Short:   "Write the keys of an MCPServer for a backup or a move",
		Long:    exportLong,
		Example: moveExample,
		Args:    cli.Args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, namespace, err := cluster()
			if err != nil {
				return err
			}
			return exportKeys(cmd.Context(), c, client.ObjectKey{Namespace: namespace, Name: args[0]}, time.Now(), cmd.OutOrStdout())
		},
	}
	cluster = cli.AddClusterFlags(command)
	return command
}

func exportKeys(ctx context.Context, c client.Reader, name client.ObjectKey, now time.Time, out io.Writer) error {
	var server v1alpha1.MCPServer
	if err := c.Get(ctx, name, &server); err != nil {
		return fmt.Errorf("read MCPServer %s: %w", name, err)
	}
	var secret corev1.Secret
	if err := c.Get(ctx, client.ObjectKey{Namespace: name.Namespace, Name: desired.KeysSecretName(&server)}, &secret); err != nil {
		return fmt.Errorf("read the keys of MCPServer %s: %w", name, err)
	}
	exported, err := keyobjects.ExportedKeys(&server, secret, now)
	if err != nil {
		return fmt.Errorf("export the keys of MCPServer %s: %w", name, err)
	}
	text, err := yaml.Marshal(exported)
	if err != nil {
		return fmt.Errorf("write YAML: %w", err)
	}
	_, err = out.Write(text)
	return err
}
