package serverkeys

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli"
	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli/clitest"
)

// signingSince is when the key of a server began to sign.
var signingSince = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// withKeys is a server whose status has these keys of its Managed provider.
func withKeys(keys ...v1alpha1.KeyStatus) *v1alpha1.MCPServer {
	out := clitest.Server("demo", "a")
	for i := range keys {
		keys[i].Provider = "managed"
	}
	out.Status.Keys = keys
	return out
}

func keyWithPhase(kid string, phase v1alpha1.KeyPhase) v1alpha1.KeyStatus {
	return v1alpha1.KeyStatus{KID: kid, Algorithm: "EdDSA", Phase: phase, Since: metav1.NewTime(signingSince)}
}

func refused(key v1alpha1.KeyStatus) v1alpha1.KeyStatus {
	key.RefusedTime = metav1.NewTime(signingSince.Add(time.Minute))
	return key
}

// annotated adds an annotation that the API server noted at a time; not at all if it is zero.
func annotated(server *v1alpha1.MCPServer, name, value string, at time.Time) *v1alpha1.MCPServer {
	metav1.SetMetaDataAnnotation(&server.ObjectMeta, name, value)
	if !at.IsZero() {
		server.ManagedFields = append(server.ManagedFields, metav1.ManagedFieldsEntry{
			Time: &metav1.Time{Time: at}, FieldsV1: metav1.NewFieldsV1(`{"f:metadata":{"f:annotations":{"f:` + name + `":{}}}}`),
		})
	}
	return server
}

// brought is a server whose keys are not Gatehouse's.
func brought() *v1alpha1.MCPServer {
	out := withKeys()
	out.Spec.Auth = &v1alpha1.Auth{Providers: []v1alpha1.Provider{{Name: "partner", Keys: v1alpha1.ProviderKeys{Type: v1alpha1.KeysSecret}}}}
	out.Status.Keys = []v1alpha1.KeyStatus{{Provider: "partner", KID: "theirs"}}
	return out
}

func TestMayRotate(t *testing.T) {
	before, after := signingSince.Add(-time.Hour), signingSince.Add(time.Hour)
	none := time.Time{}
	for name, c := range map[string]struct {
		server *v1alpha1.MCPServer
		says   string
	}{
		"at rest":             {withKeys(keyWithPhase("k1", v1alpha1.KeySigning)), ""},
		"after a rotation":    {withKeys(refused(keyWithPhase("k1", v1alpha1.KeyRetired)), keyWithPhase("k2", v1alpha1.KeySigning)), ""},
		"no Managed provider": {brought(), "no provider of type Managed"},
		"no key yet":          {withKeys(), "no key signs yet"},
		"a new key":           {withKeys(keyWithPhase("k1", v1alpha1.KeySigning), keyWithPhase("k2", v1alpha1.KeyPublished)), "under way: key k2 is Published"},
		"an overlap":          {withKeys(keyWithPhase("k1", v1alpha1.KeyRetiring), keyWithPhase("k2", v1alpha1.KeySigning)), "under way: key k1 is Retiring"},
		"an old key":          {withKeys(keyWithPhase("k1", v1alpha1.KeyRetired), keyWithPhase("k2", v1alpha1.KeySigning)), "under way: key k1 is Retired"},
		"a stolen key":        {withKeys(keyWithPhase("k1", v1alpha1.KeyRevoked), keyWithPhase("k2", v1alpha1.KeySigning)), "under way: key k1 is Revoked"},
		"asked for, and done": {
			annotated(withKeys(keyWithPhase("k1", v1alpha1.KeySigning)), v1alpha1.AnnotationRotateKeys, before.Format(time.RFC3339Nano), before), "",
		},
		"asked for": {
			annotated(withKeys(keyWithPhase("k1", v1alpha1.KeySigning)), v1alpha1.AnnotationRotateKeys, after.Format(time.RFC3339Nano), after),
			"asked for at 2026-03-01T13:00:00Z",
		},
		"asked for in seconds": {
			annotated(withKeys(keyWithPhase("k1", v1alpha1.KeySigning)), v1alpha1.AnnotationRotateKeys, "1772370000", none), "asked for at 2026-03-01T13:00:00Z",
		},
		"asked for in words": {annotated(withKeys(keyWithPhase("k1", v1alpha1.KeySigning)), v1alpha1.AnnotationRotateKeys, "please", after), "asked for"},
		"asked for in words, and done": {
			annotated(withKeys(keyWithPhase("k1", v1alpha1.KeySigning)), v1alpha1.AnnotationRotateKeys, "please", before), "",
		},
		"asked for by a clock that is ahead, and done": {
			annotated(withKeys(keyWithPhase("k1", v1alpha1.KeySigning)), v1alpha1.AnnotationRotateKeys, after.Format(time.RFC3339), before), "",
		},
		"asked for, and something else since": {
			annotated(withKeys(keyWithPhase("k1", v1alpha1.KeySigning)), v1alpha1.AnnotationRotateKeys, before.Format(time.RFC3339), after), "",
		},
		"nobody knows when": {annotated(withKeys(keyWithPhase("k1", v1alpha1.KeySigning)), v1alpha1.AnnotationRotateKeys, "please", none), ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := mayRotate(c.server)
			clitest.ExpectError(t, err, c.says)
		})
	}
}

func TestMayRevoke(t *testing.T) {
	mixed := withKeys(keyWithPhase("k1", v1alpha1.KeySigning))
	mixed.Status.Keys = append(mixed.Status.Keys, v1alpha1.KeyStatus{Provider: "corp", KID: "theirs"})
	revoking := func(server *v1alpha1.MCPServer, kid string) *v1alpha1.MCPServer {
		return annotated(server, v1alpha1.AnnotationRevokeKey, kid, time.Time{})
	}
	for name, c := range map[string]struct {
		server *v1alpha1.MCPServer
		says   string
	}{
		"the one that signs":      {withKeys(keyWithPhase("k1", v1alpha1.KeySigning)), ""},
		"one that signed":         {withKeys(keyWithPhase("k1", v1alpha1.KeyRetiring), keyWithPhase("k2", v1alpha1.KeySigning)), ""},
		"again":                   {revoking(withKeys(keyWithPhase("k1", v1alpha1.KeyRevoked), keyWithPhase("k2", v1alpha1.KeySigning)), "k1"), ""},
		"unknown":                 {withKeys(keyWithPhase("k2", v1alpha1.KeySigning)), "there is no key k1; those of type Managed are k2 (Signing)"},
		"no key":                  {withKeys(), "those of type Managed are none"},
		"no Managed provider":     {brought(), "no provider of type Managed"},
		"after a slip":            {revoking(withKeys(keyWithPhase("k1", v1alpha1.KeySigning)), "slip"), ""},
		"while another waits":     {revoking(withKeys(keyWithPhase("k1", v1alpha1.KeySigning), keyWithPhase("k2", v1alpha1.KeyRetiring)), "k2"), "names key k2"},
		"while an old one waits":  {revoking(withKeys(keyWithPhase("k1", v1alpha1.KeySigning), keyWithPhase("k2", v1alpha1.KeyRetired)), "k2"), "names key k2"},
		"after another":           {revoking(withKeys(keyWithPhase("k1", v1alpha1.KeySigning), keyWithPhase("k2", v1alpha1.KeyRevoked)), "k2"), ""},
		"after one that was gone": {revoking(withKeys(keyWithPhase("k1", v1alpha1.KeySigning), refused(keyWithPhase("k2", v1alpha1.KeyRetired))), "k2"), ""},
	} {
		t.Run(name, func(t *testing.T) { clitest.ExpectError(t, mayRevoke(c.server, "k1"), c.says) })
	}
	clitest.ExpectError(t, mayRevoke(mixed, "theirs"), "not of type Managed")
}

func TestListKeys(t *testing.T) {
	name := client.ObjectKey{Namespace: "demo", Name: "a"}
	var out bytes.Buffer
	clitest.Must(t, listKeys(t.Context(), clitest.Cluster(t), name, cli.FormatTable, time.Now(), &out))
	if out.String() != "PROVIDER   KID     ALGORITHM   PHASE   SINCE   PODS\nmanaged    kid-1   EdDSA       -       -       -\n" {
		t.Errorf("%q", out.String())
	}
	for format, read := range map[string]func([]byte, any) error{
		cli.FormatJSON: json.Unmarshal, cli.FormatYAML: func(text []byte, into any) error { return yaml.Unmarshal(text, into) },
	} {
		out.Reset()
		clitest.Must(t, listKeys(t.Context(), clitest.Cluster(t), name, format, time.Now(), &out))
		var listed struct {
			Name string
			Keys []v1alpha1.KeyStatus
		}
		clitest.Must(t, read(out.Bytes(), &listed))
		if listed.Name != "a" || len(listed.Keys) != 1 || listed.Keys[0].KID != "kid-1" {
			t.Errorf("%s: %+v", format, listed)
		}
	}
	name.Name = "x"
	clitest.ExpectError(t, listKeys(t.Context(), clitest.Cluster(t), name, cli.FormatTable, time.Now(), &out), "there is no MCPServer x in namespace demo")
}

func TestKeysMisuse(t *testing.T) {
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"keys", "list", "a", "-o", "wide"}, "use table, json or yaml"},
		{[]string{"keys", "list"}, "gatehouse keys list --help"},
		{[]string{"keys", "rotate"}, "gatehouse keys rotate --help"},
		{[]string{"keys", "revoke", "a"}, "gatehouse keys revoke --help"},
	} {
		if got := clitest.Run(t, NewCommand(), c.args...); got.Code != cli.ExitUsage || !strings.Contains(got.Stderr, c.says) {
			t.Errorf("%v: %+v", c.args, got)
		}
	}
}
