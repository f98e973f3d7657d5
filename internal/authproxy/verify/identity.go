package verify

import (
	"encoding/json"
	"slices"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
)

// identify gives the caller's name: "sub" as it is, or else the JSON array of the claims that together identify. No two
// callers of one provider share a name: in the array 7 is not "7", and ["a","b"] is not ["a\",\"b"].
func (c claims) identify(names []string) (string, *deny.Denial) {
	values := make([]any, 0, len(names))
	for _, name := range names {
		switch value := c.members[name].(type) {
		case string:
			if value == "" {
				return "", deny.Token(deny.MissingClaim)
			}
			values = append(values, value)
		case json.Number:
			values = append(values, value)
		default:
			if c.has(name) {
				return "", deny.Token(deny.MalformedToken)
			}
			return "", deny.Token(deny.MissingClaim)
		}
	}
	if slices.Equal(names, subjectOnly) {
		return c.subject, nil
	}
	encoded, err := json.Marshal(values)
	if err != nil { // Strings and numbers that came from JSON go back.
		return "", deny.Bug()
	}
	return string(encoded), nil
}

// subjectOnly is the default of Provider.IdentityClaims.
var subjectOnly = []string{"sub"}
