package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli"
	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli/clitest"
)

// An error says what was tried, and what to do about it.
func TestTokenErrorsOfTheCluster(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		says []string
	}{
		"no keys yet": {
			apierrors.NewNotFound(schema.GroupResource{Resource: "secrets"}, "a-keys"),
			[]string{"MCPServer demo/a has no keys yet", "gatehouse status a --namespace demo"},
		},
		"no right to the keys": {clitest.Forbidden("", "secrets"), []string{"Whoever may read Secret a-keys can mint any token"}},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := clitest.Refusing(t, c.err, &corev1.Secret{})
			_, err := mint(t.Context(), cluster, client.ObjectKey{Namespace: "demo", Name: "a"}, tokenOptions{ttl: time.Hour}, time.Now())
			if err == nil {
				t.Fatal("no error")
			}
			for _, text := range c.says {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("%q does not say %q", err, text)
				}
			}
		})
	}
}

// A lifetime that makes no sense is named as such, whatever the provider grants.
func TestTokenLifetime(t *testing.T) {
	for ttl, says := range map[time.Duration]string{
		-time.Hour:             "--ttl -1h0m0s: give how long",
		0:                      "--ttl 0s: give how long",
		500 * time.Millisecond: "one second at least",
		25 * time.Hour:         "live at most 24h0m0s",
	} {
		_, err := mint(t.Context(), clitest.Cluster(t), client.ObjectKey{Namespace: "demo", Name: "a"}, tokenOptions{ttl: ttl}, time.Now())
		clitest.ExpectError(t, err, says)
		var exit *cli.ExitError
		if !errors.As(err, &exit) || exit.Code != cli.ExitUsage {
			t.Errorf("%s: %v is no misuse", ttl, err)
		}
	}
}

func TestTokenMisuse(t *testing.T) {
	if got := gatehouse(t, "token"); got.Code != cli.ExitUsage || !strings.Contains(got.Stderr, "gatehouse token --help") {
		t.Errorf("%+v", got)
	}
}
