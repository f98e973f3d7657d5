package serverkeys

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli"
)

const rotateLong = `Replace the key of type Managed that signs the tokens of an MCPServer, without a good token refused.

It asks the operator, by an annotation on the MCPServer. The new key signs once every pod was seen to accept it; the old
one verifies until every token that it signed has expired. --wait follows that until the new key signs.

Needs the right to get and patch the MCPServer; with --wait also to watch it.`

const revokeLong = `Have a key of type Managed refused at once, with all tokens that it has signed: somebody may have it.

It asks the operator, by an annotation on the MCPServer, which is to stay there. A new key takes the place of the revoked
one. --wait follows that until every pod was seen to refuse the key; if that takes longer than seconds, it says which
pods are to come.

Needs the right to get and patch the MCPServer; with --wait also to watch it.`

// keyOrder is what somebody wants to be done to the keys of a server.
type keyOrder struct {
	server  client.ObjectKey
	wait    bool
	timeout time.Duration
	// begun is how long an operator that runs may take until it says anything about the order.
	begun time.Duration
	now   func() time.Time
	out   io.Writer
	// progress is where a person is told what is waited for.
	progress io.Writer
}

func rotateCommand() *cobra.Command {
	command := &cobra.Command{
		Use: "rotate NAME", Short: "Replace the signing key of an MCPServer, without a good token refused",
		Long: rotateLong, Example: "  kubectl gatehouse keys rotate everything --wait", Args: cli.Args(cobra.ExactArgs(1)),
	}
	cluster := ordered(command, func(ctx context.Context, c client.WithWatch, o keyOrder, _ []string) error { return o.rotate(ctx, c) })
	cli.CompleteArgs(command, cluster, 1, cli.ServerNames)
	return command
}

func revokeCommand() *cobra.Command {
	command := &cobra.Command{
		Use: "revoke NAME KID", Short: "Have a key of an MCPServer refused at once, with all its tokens",
		Long: revokeLong, Example: "  kubectl gatehouse keys list everything\n  kubectl gatehouse keys revoke everything KID --wait",
		Args: cli.Args(cobra.ExactArgs(2)),
	}
	cluster := ordered(command, func(ctx context.Context, c client.WithWatch, o keyOrder, args []string) error {
		return o.revoke(ctx, c, args[1])
	})
	cli.CompleteArgs(command, cluster, 2, serverThenKey)
	return command
}

// ordered gives a command about a server the flags of an order, and has it carried out.
func ordered(command *cobra.Command, do func(context.Context, client.WithWatch, keyOrder, []string) error) cli.ConnectFunc {
	var o keyOrder
	cluster := cli.AddClusterFlags(command)
	command.Flags().BoolVar(&o.wait, "wait", false, "follow what comes of it, and print each step")
	command.Flags().DurationVar(&o.timeout, "timeout", 5*time.Minute, "how long to wait")
	command.RunE = func(cmd *cobra.Command, args []string) error {
		if o.timeout <= 0 {
			return cli.UsageError(fmt.Errorf("--timeout %s: give how long to wait, such as 5m", o.timeout))
		}
		c, namespace, err := cluster()
		if err != nil {
			return err
		}
		o.server, o.now, o.out = client.ObjectKey{Namespace: namespace, Name: args[0]}, time.Now, cmd.OutOrStdout()
		o.begun, o.progress = begunWithin, cmd.ErrOrStderr()
		return do(cmd.Context(), c, o, args)
	}
	return cluster
}

func (o keyOrder) rotate(ctx context.Context, c client.WithWatch) error {
	var older string
	server, err := o.annotate(ctx, c, func(s *v1alpha1.MCPServer) (err error) {
		older, err = mayRotate(s)
		metav1.SetMetaDataAnnotation(&s.ObjectMeta, v1alpha1.AnnotationRotateKeys, o.now().UTC().Format(time.RFC3339Nano))
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(o.out, "MCPServer %s is asked for a new key. Key %s signs until every pod accepts the new one.\n", o.server, older)
	return o.follow(ctx, c, server, func(s *v1alpha1.MCPServer) bool {
		key, found := signingKey(s)
		return found && key.KID != older
	})
}

func (o keyOrder) revoke(ctx context.Context, c client.WithWatch, kid string) error {
	server, err := o.annotate(ctx, c, func(s *v1alpha1.MCPServer) error {
		err := mayRevoke(s, kid)
		metav1.SetMetaDataAnnotation(&s.ObjectMeta, v1alpha1.AnnotationRevokeKey, kid)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(o.out, "MCPServer %s is asked to refuse key %s. Clients need new tokens. Leave the annotation %s where it is.\n",
		o.server, kid, v1alpha1.AnnotationRevokeKey)
	return o.follow(ctx, c, server, func(s *v1alpha1.MCPServer) bool {
		key, found := findKey(s, kid)
		return found && !key.RefusedTime.IsZero()
	})
}

// annotate changes the annotations of the server as it is now, or not at all: whatever somebody else has written since it
// was read makes it be read and judged again.
func (o keyOrder) annotate(ctx context.Context, c client.Client, change func(*v1alpha1.MCPServer) error) (*v1alpha1.MCPServer, error) {
	var server *v1alpha1.MCPServer
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		var err error
		if server, err = cli.GetServer(ctx, c, o.server); err != nil {
			return err
		}
		before := server.DeepCopy()
		if err := change(server); err != nil {
			return err
		}
		patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
		if err := c.Patch(ctx, server, patch, client.FieldOwner("gatehouse-cli")); err != nil {
			return cli.Explain("annotate MCPServer "+o.server.String(), err)
		}
		return nil
	})
	return server, err
}
