package runner

import (
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// UnauthenticatedProvider is a provider for a target about whose issuers nothing is known. Its key is made up on the spot,
// so its tokens are forgeries like any other, and a target must refuse them all. Reports of such checks are read with
// verdicts.Unauthenticated, and Target.Exact must not be set: what a gate says of a forgery depends on how much of it is
// false.
func UnauthenticatedProvider() (probe.Provider, error) {
	key, err := keys.Generate(keys.ES256)
	if err != nil {
		return probe.Provider{}, err
	}
	const nobody = "urn:nobody"
	return probe.Provider{Tokens: token.Template{Key: key, Issuer: nobody, Audience: nobody, Subject: "nobody", Lifetime: time.Minute}}, nil
}
