package runner_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/runner"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// A key that is in force for two issuers is a stranger to neither: its tokens are good for both.
func TestAKeyOfBothIssuersIsNotBorrowed(t *testing.T) {
	one, err := keys.Generate(keys.EdDSA)
	if err != nil {
		t.Fatal(err)
	}
	other, err := keys.Generate(keys.EdDSA)
	if err != nil {
		t.Fatal(err)
	}
	borrowed := func(second keys.Private) bool {
		provider := func(name string, key keys.Private) probe.Provider {
			return probe.Provider{Name: name, Tokens: token.Template{Key: key, Issuer: name, Lifetime: time.Minute}}
		}
		plan, err := runner.Plan(probe.Target{
			URL: "http://gate/mcp", Timeout: time.Second, Providers: []probe.Provider{provider("a", one), provider("b", second)},
		})
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(plan, func(p runner.Planned) bool { return strings.HasPrefix(p.Variation, "key of provider") })
	}
	if borrowed(one) {
		t.Error("a token of the common key is to be refused")
	}
	if !borrowed(other) {
		t.Error("the other issuer's key is not tried")
	}
}
