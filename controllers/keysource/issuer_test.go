package keysource

import (
	"context"
	"errors"
	"net/url"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// TestIssuerIsRememberedWhileTheAPIServerIsAway: what says nothing about the issuer does not take it away.
func TestIssuerIsRememberedWhileTheAPIServerIsAway(t *testing.T) {
	path := schema.GroupResource{Resource: "openid-configuration"}
	for name, c := range map[string]struct {
		failure    error
		remembered bool
	}{
		"no connection":  {&url.Error{Op: "Get", URL: "https://api", Err: errors.New("connection refused")}, true},
		"overloaded":     {apierrors.NewTooManyRequests("busy", 1), true},
		"unavailable":    {apierrors.NewServiceUnavailable("starting"), true},
		"not allowed":    {apierrors.NewForbidden(path, "", errors.New("no")), false},
		"not there":      {apierrors.NewNotFound(path, ""), false},
		"something else": {nil, false},
	} {
		now, answer, failure := time.Unix(0, 0), `{"issuer": "https://issuer", "keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "k", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`, error(nil)
		issuer := &ClusterIssuer{
			Now: func() time.Time { return now },
			Get: func(context.Context, string) ([]byte, error) { return []byte(answer), failure },
		}
		if _, err := issuer.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
		now, answer, failure = now.Add(2*issuerAge), "{}", c.failure
		found, err := issuer.Read(t.Context())
		if (err == nil) != c.remembered || (found.URL == "https://issuer") != c.remembered {
			t.Errorf("%s: %q, %v", name, found.URL, err)
		}
	}
}

// TestAFailingIssuerIsAskedOnceForAllServers: an API server that does not answer must not keep each server in turn waiting.
func TestAFailingIssuerIsAskedOnceForAllServers(t *testing.T) {
	now, asked := time.Unix(0, 0), 0
	issuer := &ClusterIssuer{
		Now: func() time.Time { return now },
		Get: func(ctx context.Context, _ string) ([]byte, error) {
			asked++
			if _, bounded := ctx.Deadline(); !bounded {
				t.Error("it may take for ever")
			}
			return nil, errors.New("no")
		},
	}
	for range 3 {
		if _, err := issuer.Read(t.Context()); err == nil {
			t.Error("the failure is not told")
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
	now = now.Add(issuerPatience)
	if _, err := issuer.Read(t.Context()); err == nil || asked != 2 {
		t.Errorf("after a while: asked %d times, %v", asked, err)
	}
}
