package verify

import (
	"encoding/json"
	"slices"

	"github.com/mcp-gatehouse/gatehouse/internal/claimpath"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// identify gives the caller's name: "sub" as it is, or else the JSON array of the claims that together identify. No two
// callers of one provider share a name: in the array 7 is not "7", and ["a","b"] is not ["a\",\"b"].
func (c tokenClaims) identify(names []string) (string, *deny.Denial) {
	values := make([]any, 0, len(names))
	for _, name := range names {
		value, present := claimpath.MustParse(name).In(c.members)
		switch value := value.(type) {
		case string:
			if value == "" {
				return "", deny.Token(gateapi.ReasonMissingClaim).WithDetail("%s: an empty string", name)
			}
			values = append(values, value)
		case json.Number:
			values = append(values, claimpath.Number(value))
		default:
			if present {
				return "", deny.Token(gateapi.ReasonMalformedToken).WithDetail("%s: %s, not a string or a number", name, kindOf(value))
			}
			return "", deny.Token(gateapi.ReasonMissingClaim).WithDetail("%s: absent", name)
		}
	}
	if slices.Equal(names, subjectOnly) {
		return c.subject, nil
	}
	return claimpath.Compound(values), nil
}

// names are those by which a list of revocations may mean the caller: the subject, the "sub" of the token, and where one
// claim says who the caller is, that as it is.
func (f *freshToken) names() []string {
	names := []string{f.subject, f.claims.subject}
	if len(f.from.identity) != 1 {
		return names
	}
	switch value, _ := claimpath.MustParse(f.from.identity[0]).In(f.claims.members); value := value.(type) {
	case string:
		return append(names, value)
	case json.Number:
		return append(names, string(claimpath.Number(value)))
	default:
		return names
	}
}

// subjectOnly is the default of Provider.IdentityClaims.
var subjectOnly = []string{"sub"}
