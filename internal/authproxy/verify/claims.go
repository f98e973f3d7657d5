package verify

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
)

// maxNumericDate is the end of year 9999; a time behind it is a mistake, or a trick with overflow.
const maxNumericDate = 253402300799

// claims are the registered ones of a token, typed. The rest is in members.
type claims struct {
	members object

	issuer, subject, id          string // empty if absent
	audiences                    []string
	expires, issuedAt, notBefore time.Time // zero if absent
}

// readClaims checks types (RFC 7519 section 4.1). A claim of a wrong type makes the token malformed: nothing is
// converted, so a server behind cannot read it differently.
func readClaims(members object) (claims, *deny.Denial) {
	out := claims{members: members}
	wellTyped := isText(members, "iss", &out.issuer) && isText(members, "sub", &out.subject) &&
		isText(members, "jti", &out.id) && isAudience(members, &out.audiences) && isTime(members, "exp", &out.expires) &&
		isTime(members, "iat", &out.issuedAt) && isTime(members, "nbf", &out.notBefore)
	if !wellTyped {
		return claims{}, deny.Token(deny.MalformedToken)
	}
	return out, nil
}

func (c claims) has(name string) bool {
	_, present := c.members[name]
	return present
}

// text gives a claim that does not take part in letting the token in: of a wrong type it counts as absent.
func (c claims) text(name string) string {
	value, _ := c.members[name].(string)
	return value
}

// client is who the token was issued to: "client_id" (RFC 9068 section 2.2), or "azp" (OpenID Connect Core section 2).
func (c claims) client() string {
	if id := c.text("client_id"); id != "" {
		return id
	}
	return c.text("azp")
}

// scopes are those of "scope" (RFC 8693 section 4.2) and of "scp", which some issuers write in its place, as an array
// too. A claim of another type gives none: the token is good, and opens what needs no scope.
func (c claims) scopes() []string {
	scopes := splitScope(c.text("scope"))
	if elements, isArray := c.members["scp"].([]any); isArray {
		return append(scopes, texts(elements)...)
	}
	return append(scopes, splitScope(c.text("scp"))...)
}

// splitScope splits at spaces and at nothing else (RFC 6749 section 3.3).
func splitScope(scope string) []string {
	return strings.FieldsFunc(scope, func(c rune) bool { return c == ' ' })
}

// texts gives the elements if all are strings, else none.
func texts(elements []any) []string {
	all := make([]string, 0, len(elements))
	for _, element := range elements {
		text, isText := element.(string)
		if !isText {
			return nil
		}
		all = append(all, text)
	}
	return all
}

// isText is false if the member is there and no string.
func isText(members object, name string, into *string) bool {
	value, present := members[name]
	text, isText := value.(string)
	*into = text
	return isText || !present
}

// isTime is false if the member is there and no NumericDate (RFC 7519 section 2): a JSON number, here between 1970 and
// 9999. Fractions are kept to the millisecond.
func isTime(members object, name string, into *time.Time) bool {
	value, present := members[name]
	if !present {
		return true
	}
	number, isNumber := value.(json.Number)
	if !isNumber {
		return false
	}
	seconds, err := number.Float64()
	if err != nil || seconds < 0 || seconds > maxNumericDate {
		return false
	}
	*into = time.UnixMilli(int64(seconds * 1000))
	return true
}

// isAudience is false if "aud" is there and neither a string nor an array of strings.
func isAudience(members object, into *[]string) bool {
	switch value := members["aud"].(type) {
	case string:
		*into = []string{value}
		return true
	case []any:
		*into = texts(value)
		return len(*into) == len(value)
	default:
		_, present := members["aud"]
		return !present
	}
}

// names tells whether one of the audiences is one of ours, byte for byte.
func (c claims) names(ours []string) bool {
	return slices.ContainsFunc(c.audiences, func(one string) bool { return slices.Contains(ours, one) })
}
