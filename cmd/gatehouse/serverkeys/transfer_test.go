package serverkeys

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli/clitest"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/keys/rotation"
)

// madeKeys is the Secret NAME-keys that an operator has made for a server, and its signing key.
func madeKeys(t *testing.T, s *v1alpha1.MCPServer) (secret *corev1.Secret, signing string) {
	t.Helper()
	set, err := rotation.New(keys.EdDSA, "", signingSince)
	clitest.Must(t, err)
	jwks, record, err := rotation.Encode(set)
	clitest.Must(t, err)
	secret = &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: desired.KeysSecretName(s)}}
	secret.Data = map[string][]byte{"managed.jwks": jwks, "managed.rotation.json": record}
	secret.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(s, v1alpha1.SchemeGroupVersion.WithKind("MCPServer"))}
	return secret, set.Keys[0].ID
}

// TestKeysMoveBetweenClusters: what one API server's Secret holds, another's MCPServer gets, as its own.
func TestKeysMoveBetweenClusters(t *testing.T) {
	from := clitest.Server("demo", "a")
	secret, old := madeKeys(t, from)
	var exported bytes.Buffer
	clitest.Must(t, exportKeys(t.Context(), clitest.ClusterOf(t, from, secret), client.ObjectKeyFromObject(from), signingSince, &exported))
	path := clitest.File(t, "keys.yaml", exported.String())

	for name, c := range map[string]struct {
		issuer    string
		newIssuer bool
		uid       types.UID
		there     func(*corev1.Secret) // nil: there is no Secret
		fails     string
	}{
		"the issuer is named":                 {desired.OwnIssuer(from), false, "2", func(*corev1.Secret) {}, ""},
		"no key was made yet":                 {desired.OwnIssuer(from), false, "2", nil, ""},
		"a copy by hand is there, of no one":  {desired.OwnIssuer(from), false, "2", func(s *corev1.Secret) { s.OwnerReferences = nil }, ""},
		"a restored one, of the server's old": {desired.OwnIssuer(from), false, "2", func(s *corev1.Secret) { s.OwnerReferences[0].UID = "1" }, ""},
		"it belongs to something else":        {desired.OwnIssuer(from), false, "2", func(s *corev1.Secret) { s.OwnerReferences[0].Kind = "Other" }, "it belongs to Other a"},
		"the issuer is another":               {"", false, "2", func(*corev1.Secret) {}, "set auth.providers[].keys.managed.issuer of its spec to the first"},
		"that does not matter":                {"", true, "2", func(*corev1.Secret) {}, ""},
		"a restore into the same server":      {"", false, "1", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			to := clitest.Server("demo", "a")
			to.UID = c.uid
			if c.issuer != "" {
				to.Spec.Auth = &v1alpha1.Auth{Providers: []v1alpha1.Provider{{Name: "managed", Keys: v1alpha1.ProviderKeys{
					Type: v1alpha1.KeysManaged, Managed: &v1alpha1.ManagedKeys{Issuer: c.issuer}}}}}
			}
			objects := []client.Object{to}
			there, own := madeKeys(t, to)
			to.Status.Keys = []v1alpha1.KeyStatus{keyWithPhase(own, v1alpha1.KeySigning)}
			if c.there != nil {
				c.there(there)
				objects = append(objects, there)
			}
			cluster := clitest.ClusterOf(t, objects...)
			read, err := readSecret(path, nil)
			clitest.Must(t, err)
			var out bytes.Buffer
			order := keyImport{server: client.ObjectKeyFromObject(to), from: read, newIssuer: c.newIssuer, now: time.Now()}
			clitest.ExpectError(t, order.run(t.Context(), cluster, &out), c.fails)
			var got corev1.Secret
			err = cluster.Get(t.Context(), client.ObjectKey{Namespace: "demo", Name: "a-keys"}, &got)
			if c.fails != "" {
				if err != nil || strings.Contains(string(got.Data["managed.jwks"]), old) {
					t.Errorf("it was written all the same: %v", err)
				}
				return
			}
			clitest.Must(t, err)
			if !metav1.IsControlledBy(&got, to) || len(got.OwnerReferences) != 1 || got.Labels[v1alpha1.LabelServer] != "a" ||
				!strings.Contains(string(got.Data["managed.jwks"]), old) {
				t.Errorf("got %+v", got.ObjectMeta)
			}
			for _, want := range []string{"imported 1 keys into Secret demo/a-keys; new tokens are signed with " + old, "tokens of key " + own + ", which they replace, are refused"} {
				if !strings.Contains(out.String(), want) {
					t.Errorf("says %q, want %q", out.String(), want)
				}
			}
		})
	}
}

// TestImportIntoANewServer: the operator makes the first keys of a server between the look for them and the write.
func TestImportIntoANewServer(t *testing.T) {
	from, to := clitest.Server("demo", "a"), clitest.Server("demo", "a")
	secret, old := madeKeys(t, from)
	var exported bytes.Buffer
	clitest.Must(t, exportKeys(t.Context(), clitest.ClusterOf(t, from, secret), client.ObjectKeyFromObject(from), signingSince, &exported))
	read, err := readSecret("-", &exported)
	clitest.Must(t, err)
	own, _ := madeKeys(t, to)
	cluster := interceptor.NewClient(clitest.ClusterOf(t, to), interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, object client.Object, options ...client.CreateOption) error {
			clitest.Must(t, c.Create(ctx, own)) // fails if it is asked to be created twice
			return c.Create(ctx, object, options...)
		},
	})
	order := keyImport{server: client.ObjectKeyFromObject(to), from: read, now: time.Now()}
	clitest.Must(t, order.run(t.Context(), cluster, io.Discard))
	var got corev1.Secret
	clitest.Must(t, cluster.Get(t.Context(), client.ObjectKeyFromObject(own), &got))
	if !strings.Contains(string(got.Data["managed.jwks"]), old) {
		t.Error("the operator's keys are there, and not those that were imported")
	}
}

func TestImportReadsSecretsOnly(t *testing.T) {
	if _, err := readSecret("-", strings.NewReader("a: [")); err == nil || strings.Contains(err.Error(), "[") {
		t.Errorf("got %v", err)
	}
	if got := clitest.Run(t, NewCommand(), "keys", "import", "a"); got.Code == 0 || !strings.Contains(got.Stderr, "filename") {
		t.Errorf("without a file: %d %s", got.Code, got.Stderr)
	}
}
