package gateapi_test

import (
	"slices"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

func TestClaimsUsed(t *testing.T) {
	c := validConfig()
	if got := c.ClaimsUsed(); len(got) != 0 {
		t.Errorf("got %q of a configuration that names none", got)
	}
	c.Providers[0].IdentityClaims = []string{"uuid", "id"}
	c.Upstream.ClaimHeaders = []gateapi.ClaimHeader{{Header: "X-User", Claim: "email"}, {Header: "X-Id", Claim: "id"}}
	c.Authorization.Rules = []gateapi.Rule{
		{Methods: []string{"*"}, Claims: []gateapi.ClaimMatch{{Name: "team", Values: []string{"a"}}}},
		{Methods: []string{"*"}, Claims: []gateapi.ClaimMatch{{Name: "email", Values: []string{"b"}}}},
	}
	if got, want := c.ClaimsUsed(), []string{"email", "id", "team", "uuid"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
