package desired_test

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/keyobjects"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/keys/rotation"
)

var noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

// storedKeys is a Secret NAME-keys as the operator writes it.
func storedKeys(t *testing.T, s *v1alpha1.MCPServer) (corev1.Secret, rotation.Set) {
	t.Helper()
	set, err := rotation.New(keys.ES256, "", noon)
	if err != nil {
		t.Fatal(err)
	}
	jwks, record, err := rotation.Encode(set)
	if err != nil {
		t.Fatal(err)
	}
	provider, _ := desired.Resolve(s).Managed()
	secret := corev1.Secret{Data: map[string][]byte{provider.Name + ".jwks": jwks, provider.Name + ".rotation.json": record, "more": nil}}
	secret.Name, secret.ResourceVersion = s.Name+"-keys", "7"
	secret.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(s, v1alpha1.SchemeGroupVersion.WithKind("MCPServer"))}
	return secret, set
}

func TestKeysMoveToAnotherServer(t *testing.T) {
	from, to := read(t, "testdata/generic/in.yaml"), read(t, "testdata/every-field/in.yaml")
	to.UID = "another"
	secret, set := storedKeys(t, from)
	exported, err := keyobjects.ExportedKeys(from, secret, noon)
	if err != nil {
		t.Fatal(err)
	}
	if len(exported.OwnerReferences) > 0 || exported.ResourceVersion != "" || len(exported.Data) != 2 || keyobjects.IssuerOf(to, *exported) != desired.OwnIssuer(from) {
		t.Errorf("exported %+v", exported.ObjectMeta)
	}
	imported, got, err := keyobjects.ImportedKeys(to, *exported, noon)
	if err != nil {
		t.Fatal(err)
	}
	if !metav1.IsControlledBy(imported, to) || imported.Name != to.Name+"-keys" || imported.Labels[v1alpha1.LabelServer] != to.Name {
		t.Errorf("imported %+v", imported.ObjectMeta)
	}
	if imported.Data["own.jwks"] == nil || imported.Data["own.rotation.json"] == nil || got.Keys[0].ID != set.Keys[0].ID {
		t.Errorf("imported %v of %v", got.Keys, imported.Data)
	}
	if keyobjects.IssuerOf(from, secret) != desired.OwnIssuer(from) || keyobjects.IssuerOf(to, secret) != "" {
		t.Error("a plain copy has the issuer of its owner, and else of nobody knows whom")
	}
}

func TestWhatIsNoKeysIsNotMoved(t *testing.T) {
	to := read(t, "testdata/generic/in.yaml")
	for want, from := range map[string]corev1.Secret{
		"it must be an export": {Data: map[string][]byte{"tls.key": nil}},
		"the keys to import":   {Data: map[string][]byte{"managed.jwks": []byte("{}")}},
	} {
		if _, _, err := keyobjects.ImportedKeys(to, from, noon); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
		if _, err := keyobjects.ExportedKeys(to, from, noon); err == nil {
			t.Errorf("%s: it was exported", want)
		}
	}
}
