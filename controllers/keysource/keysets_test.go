package keysource

import (
	"context"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

const (
	goodKey   = `{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "k", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`
	faultyKey = `{"kty": "EC", "kid": "a", "crv": "P-256", "x": "AA"}`
)

// One faulty key of the cluster's, or of a Secret, is named and costs no other.
func TestFaultyKeyInASetThatTheOperatorReads(t *testing.T) {
	answer := `{"issuer": "https://issuer", "ISSUER": "https://other", "keys": [` + faultyKey + `, ` + goodKey + `]}`
	issuer := &ClusterIssuer{Now: time.Now, Get: func(context.Context, string) ([]byte, error) { return []byte(answer), nil }}
	found, err := issuer.Read(t.Context())
	if err != nil || found.URL != "https://issuer" || len(found.Keys) != 1 || len(found.Faulty) != 1 {
		t.Errorf("the cluster: got %+v, %v", found, err)
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{UID: "1", ResourceVersion: "1"}, Data: map[string][]byte{"jwks": []byte(answer)}}
	for range 2 { // read, and remembered
		set, err := new(Parsed).parse(secret, "jwks", v1alpha1.FormatJWKS)
		if err != nil || len(set.Keys) != 1 || len(set.Faulty) != 1 || !strings.HasPrefix(set.Faulty[0], `key 0 ("a"): not a valid JWK`) {
			t.Errorf("a Secret: got %+v, %v", set, err)
		}
	}
}

func TestIssuerIsReadByItsExactName(t *testing.T) {
	for text, want := range map[string]string{
		`{"issuer":"https://a","ISSUER":"https://b"}`: "https://a", `{"ISSUER":"https://b"}`: "", `{"issuer":""}`: "",
		`{"issuer":"https://a","issuer":"https://b"}`: "", `{"issuer":["https://a"]}`: "", `[]`: "",
	} {
		if got, err := issuerOf([]byte(text)); got != want || (err == nil) != (want != "") {
			t.Errorf("%s: got %q, %v", text, got, err)
		}
	}
}
