package mcpserver

import (
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/serverstatus"
	"github.com/mcp-gatehouse/gatehouse/internal/terminal"
)

// All Secrets that are missing are told at once. What status knows of providers stays: their pods keep the keys.
func TestSecretsAreMissing_AllAreToldAndKeysStayInStatus(t *testing.T) {
	s := newServer()
	s.Spec.Image = "example.com/server"
	provider := func(name string) v1alpha1.Provider {
		return v1alpha1.Provider{Name: name, Issuer: "https://" + name + ".example.com", Audiences: []string{"tools"}, Keys: v1alpha1.ProviderKeys{
			Type: v1alpha1.KeysSecret, Secret: &v1alpha1.SecretKeys{Name: name, Keys: []string{"key"}, Format: v1alpha1.FormatSharedSecret}}}
	}
	s.Spec.Auth = &v1alpha1.Auth{Providers: []v1alpha1.Provider{provider("first"), provider("second"), provider("third")}}
	s.Status.Keys = []v1alpha1.KeyStatus{{Provider: "first", KID: "a", Algorithm: "HS256"}, {Provider: "second", KID: "b", Algorithm: "HS256"}}
	seen := observed{Seen: wasFine()}
	there := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "second", Namespace: "ns"}, Data: map[string][]byte{"key": []byte("0123456789abcdef0123456789abcdef")}}
	var wrong *terminal.Error
	if err := carryOut(t, s, &seen, []client.Object{there}); !errors.As(err, &wrong) || wrong.Reason != v1alpha1.ReasonKeyMissing ||
		!strings.Contains(wrong.Message, "Secret first") || !strings.Contains(wrong.Message, "Secret third") {
		t.Fatalf("got %v", err)
	}
	told := map[string]string{}
	for _, key := range serverstatus.Of(s, seen.Seen, "image", wrong, testTime).Keys {
		told[*key.Provider] = *key.KID
	}
	if told["first"] != "a" || told["second"] != "b" {
		t.Errorf("status tells of %v", told)
	}
}
