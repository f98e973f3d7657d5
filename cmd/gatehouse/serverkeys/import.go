package serverkeys

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/keyobjects"
	"github.com/mcp-gatehouse/gatehouse/internal/keys/rotation"
)

const importLong = `Give an MCPServer the keys that "keys export" has written, or those of a plain copy of a Secret NAME-keys.

It writes the Secret NAME-keys, with the MCPServer as its owner, in place of what is there: tokens of keys that are not among
the imported ones are refused from then on. Pods take the keys up by themselves.

The tokens that clients hold name an issuer. It has the UID of the MCPServer that they were issued for, so where this is
another one, such as in another cluster, its spec must name that issuer first, in
auth.providers[].keys.managed.issuer. --new-issuer imports the keys without: tokens from before are then refused.

Needs the right to get the MCPServer, and to get, create and update its Secret NAME-keys.`

func importCommand() *cobra.Command {
	var cluster cli.ConnectFunc
	var path string
	var newIssuer bool
	command := &cobra.Command{
		Use:     "import NAME -f FILE",
		Short:   "Give an MCPServer keys that were exported",
		Long:    importLong,
		Example: moveExample,
		Args:    cli.Args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			from, err := readSecret(path, cmd.InOrStdin())
			if err != nil {
				return err
			}
			c, namespace, err := cluster()
			if err != nil {
				return err
			}
			order := keyImport{server: client.ObjectKey{Namespace: namespace, Name: args[0]}, from: from, newIssuer: newIssuer, now: time.Now()}
			return order.run(cmd.Context(), c, cmd.OutOrStdout())
		},
	}
	cluster = cli.AddClusterFlags(command)
	command.Flags().StringVarP(&path, "filename", "f", "", "the file to import; - is standard input")
	command.Flags().BoolVar(&newIssuer, "new-issuer", false, "import the keys although the tokens that they have signed will be refused")
	if err := command.MarkFlagRequired("filename"); err != nil {
		panic(err)
	}
	return command
}

func readSecret(path string, stdin io.Reader) (corev1.Secret, error) {
	var secret corev1.Secret
	in := stdin
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return secret, fmt.Errorf("read the keys to import: %w", err)
		}
		defer file.Close()
		in = file
	}
	const largest = 1 << 20
	text, err := io.ReadAll(io.LimitReader(in, largest))
	if err == nil {
		err = yaml.Unmarshal(text, &secret)
	}
	if err != nil {
		// The parser's words could quote a key.
		return secret, fmt.Errorf("read the keys to import from %s: it is no Secret in YAML or JSON", path)
	}
	return secret, nil
}

// keyImport is what somebody wants to be imported.
type keyImport struct {
	server    client.ObjectKey
	from      corev1.Secret
	newIssuer bool
	now       time.Time
}

func (o keyImport) run(ctx context.Context, c client.Client, out io.Writer) error {
	var server v1alpha1.MCPServer
	if err := c.Get(ctx, o.server, &server); err != nil {
		return fmt.Errorf("read MCPServer %s: %w", o.server, err)
	}
	secret, set, err := keyobjects.ImportedKeys(&server, o.from, o.now)
	if err == nil {
		err = o.checkIssuer(&server)
	}
	if err != nil {
		return fmt.Errorf("import keys into MCPServer %s: %w", o.server, err)
	}
	if err := retry.OnError(retry.DefaultRetry, isRace, func() error { return put(ctx, c, secret) }); err != nil {
		return fmt.Errorf("write Secret %s: %w", client.ObjectKeyFromObject(secret), err)
	}
	fmt.Fprintf(out, "imported %d keys into Secret %s; new tokens are signed with %s\n", len(set.Published()), client.ObjectKeyFromObject(secret), set.Published()[0].ID())
	if gone := missingFrom(set, server.Status.Keys); len(gone) > 0 {
		fmt.Fprintf(out, "tokens of key %s, which they replace, are refused from now on\n", strings.Join(gone, ", "))
	}
	return nil
}

// isRace reports whether the operator has written keys of its own at the same time, as it does for a new MCPServer.
func isRace(err error) bool { return apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) }

// checkIssuer refuses keys of which no token could be accepted.
func (o keyImport) checkIssuer(server *v1alpha1.MCPServer) error {
	theirs, ours := keyobjects.IssuerOf(server, o.from), desired.ManagedIssuer(server)
	if o.newIssuer || theirs == ours {
		return nil
	}
	if theirs == "" {
		return fmt.Errorf("it does not say of which issuer the tokens are that they have signed, and those of this MCPServer are of %s: "+
			"name the issuer in the annotation %s of the file, or pass --new-issuer", ours, v1alpha1.AnnotationIssuer)
	}
	return fmt.Errorf("the tokens that they have signed are of issuer %s, and this MCPServer accepts those of %s: "+
		"set auth.providers[].keys.managed.issuer of its spec to the first, or pass --new-issuer", theirs, ours)
}

// put writes the Secret in place of the one that is there, unless that belongs to something else than an MCPServer of this name.
func put(ctx context.Context, c client.Client, wanted *corev1.Secret) error {
	var there corev1.Secret
	err := c.Get(ctx, client.ObjectKeyFromObject(wanted), &there)
	if apierrors.IsNotFound(err) {
		return c.Create(ctx, wanted.DeepCopy())
	}
	if err != nil {
		return err
	}
	if owner := metav1.GetControllerOf(&there); owner != nil && (owner.Kind != "MCPServer" || owner.Name != wanted.OwnerReferences[0].Name) {
		return fmt.Errorf("it belongs to %s %s", owner.Kind, owner.Name)
	}
	there.Data, there.OwnerReferences = wanted.Data, wanted.OwnerReferences
	for name, value := range wanted.Labels {
		metav1.SetMetaDataLabel(&there.ObjectMeta, name, value)
	}
	return c.Update(ctx, &there)
}

// missingFrom are the keys that verify tokens and are not in the set.
func missingFrom(set rotation.Set, known []v1alpha1.KeyStatus) []string {
	var gone []string
	for _, key := range known {
		verifies := key.Phase == v1alpha1.KeyPhase(rotation.Signing) || key.Phase == v1alpha1.KeyPhase(rotation.Retiring)
		if _, found := set.Find(key.KID); verifies && !found {
			gone = append(gone, key.KID)
		}
	}
	return gone
}
