package verify

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/claimpath"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// maxNumericDate is the end of year 9999; a time behind it is a mistake, or a trick with overflow.
const maxNumericDate = 253402300799

// tokenClaims are the registered ones of a token, typed. The rest is in members.
type tokenClaims struct {
	members object

	issuer, subject, id          string // empty if absent
	audiences                    []string
	expires, issuedAt, notBefore time.Time // zero if absent
}

// readClaims checks types (RFC 7519 section 4.1). A claim of a wrong type makes the token malformed: nothing is
// converted, so a server behind cannot read it differently.
func readClaims(members object) (tokenClaims, *deny.Denial) {
	out := tokenClaims{members: members}
	for _, claim := range []struct {
		name      string
		wellTyped bool
		want      string
	}{
		{"iss", isText(members, "iss", &out.issuer), "a string"},
		{"sub", isText(members, "sub", &out.subject), "a string"},
		{"jti", isText(members, "jti", &out.id), "a string"},
		{"aud", isAudience(members, &out.audiences), "a string or a list of strings"},
		{"exp", isTime(members, "exp", &out.expires), "a time between 1970 and 9999"},
		{"iat", isTime(members, "iat", &out.issuedAt), "a time between 1970 and 9999"},
		{"nbf", isTime(members, "nbf", &out.notBefore), "a time between 1970 and 9999"},
		{"scope", isScope(members["scope"]), "a string or a list of strings"},
		{"scp", isScope(members["scp"]), "a string or a list of strings"},
	} {
		if !claim.wellTyped {
			return tokenClaims{}, deny.Token(gateapi.ReasonMalformedToken).WithDetail("%s: %s, not %s", claim.name, out.kind(claim.name), claim.want)
		}
	}
	return out, nil
}

func (c tokenClaims) has(name string) bool {
	_, present := c.members[name]
	return present
}

// text gives a claim that does not take part in letting the token in: of a wrong type it counts as absent.
func (c tokenClaims) text(name string) string {
	value, _ := c.members[name].(string)
	return value
}

// textAt is text for a claim that is named as claimpath has it.
func (c tokenClaims) textAt(name string) string {
	value, _ := claimpath.MustParse(name).In(c.members)
	text, _ := value.(string)
	return text
}

// client is who the token was issued to: "client_id" (RFC 9068 section 2.2), or "azp" (OpenID Connect Core section 2).
func (c tokenClaims) client() string {
	if id := c.text("client_id"); id != "" {
		return id
	}
	return c.text("azp")
}

// scopes are those of "scope" (RFC 8693 section 4.2) and of "scp", which some issuers write in its place. Both may be a
// string or a list of strings, as issuers write either.
func (c tokenClaims) scopes() []string {
	var scopes []string
	for _, name := range []string{"scope", "scp"} {
		if elements, isList := c.members[name].([]any); isList {
			scopes = append(scopes, texts(elements)...)
		}
		scopes = append(scopes, splitScope(c.text(name))...)
	}
	return scopes
}

// isScope is false for what could be read in several ways: a list with anything but strings in it, a number, an object.
// null is what some issuers write for no scope.
func isScope(value any) bool {
	switch value := value.(type) {
	case nil, string:
		return true
	case []any:
		return len(texts(value)) == len(value)
	default:
		return false
	}
}

// bindsKey reports whether the token is bound to a key (RFC 7800 section 3.1). A "cnf" that is null or has no member
// names no key: there is nothing whose possession anybody could prove, and its bearer is all that the token knows. What
// is no object is taken for a binding, since nobody knows what it means.
func (c tokenClaims) bindsKey() bool {
	value, present := c.members["cnf"]
	if !present || value == nil {
		return false
	}
	confirmation, isObject := value.(object)
	return !isObject || len(confirmation) > 0
}

// splitScope splits at spaces and at nothing else (RFC 6749 section 3.3).
func splitScope(scope string) []string {
	return strings.FieldsFunc(scope, func(c rune) bool { return c == ' ' })
}

// texts gives the elements if all are strings, else none.
func texts(elements []any) []string {
	all := make([]string, 0, len(elements))
	for _, element := range elements {
		text, ok := element.(string)
		if !ok {
			return nil
		}
		all = append(all, text)
	}
	return all
}

// isText is false if the member is there and no string.
func isText(members object, name string, into *string) bool {
	value, present := members[name]
	text, ok := value.(string)
	*into = text
	return ok || !present
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
func (c tokenClaims) names(ours []string) bool {
	return slices.ContainsFunc(c.audiences, func(one string) bool { return slices.Contains(ours, one) })
}
