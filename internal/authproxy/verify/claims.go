package verify

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
)

// maxNumericDate is the end of year 9999; a time behind it is a mistake, or a trick with overflow.
const maxNumericDate = 253402300799

// claims are those that take part in the verdict, typed.
type claims struct {
	issuer, subject, client, scope string
	issuedAt, expires              time.Time // zero if absent
}

// readClaims checks types (RFC 7519 section 4.1) and that what every token needs is there. A claim of a wrong type
// makes the token malformed: nothing is converted, so a server behind cannot read it differently.
func readClaims(members object) (claims, *deny.Denial) {
	var out claims
	wellTyped := isText(members, "iss", &out.issuer) && isText(members, "sub", &out.subject) &&
		isAudience(members) && isTime(members, "exp", &out.expires) && isTime(members, "iat", &out.issuedAt) &&
		isTime(members, "nbf", new(time.Time))
	if !wellTyped {
		return claims{}, deny.Token(deny.MalformedToken)
	}
	if _, present := members["aud"]; !present || out.issuer == "" || out.subject == "" || out.expires.IsZero() {
		return claims{}, deny.Token(deny.MissingClaim)
	}
	// A token that is bound to a key must not pass as a bearer token (RFC 9449 section 7.2, RFC 8705 section 3).
	if _, bound := members["cnf"]; bound {
		return claims{}, deny.Token(deny.WrongType)
	}
	// Neither takes part in letting the token in: of a wrong type they count as absent.
	out.client, _ = members["client_id"].(string)
	out.scope, _ = members["scope"].(string)
	return out, nil
}

// judgeClaims compares the registered claims with the provider's rules and the clock.
func judgeClaims(members object, read claims, provider authproxy.Provider, now func() time.Time) *deny.Denial {
	leeway := time.Duration(provider.ClockSkewSeconds) * time.Second
	err := jwt.NewValidator(
		jwt.WithTimeFunc(now), jwt.WithLeeway(leeway), jwt.WithIssuedAt(), jwt.WithExpirationRequired(),
		jwt.WithIssuer(provider.Issuer), jwt.WithAudience(provider.Audiences...),
	).Validate(jwt.MapClaims(members))
	if err != nil {
		return deny.Token(reasonOf(err))
	}
	longest := time.Duration(provider.MaxTokenLifetimeSeconds) * time.Second
	switch {
	case longest == 0:
		return nil
	case read.issuedAt.IsZero():
		return deny.Token(deny.MissingClaim)
	case read.expires.Sub(read.issuedAt) > longest:
		return deny.TokenLivesTooLong()
	}
	return nil
}

// reasonOf names the first cause in the order of this list: golang-jwt joins all it finds.
func reasonOf(err error) deny.Reason {
	for _, known := range []struct {
		err    error
		reason deny.Reason
	}{
		{jwt.ErrTokenInvalidIssuer, deny.WrongIssuer},
		{jwt.ErrTokenInvalidAudience, deny.WrongAudience},
		{jwt.ErrTokenExpired, deny.Expired},
		{jwt.ErrTokenNotValidYet, deny.NotYetValid},
		{jwt.ErrTokenUsedBeforeIssued, deny.NotYetValid},
		{jwt.ErrTokenRequiredClaimMissing, deny.MissingClaim},
	} {
		if errors.Is(err, known.err) {
			return known.reason
		}
	}
	return deny.MalformedToken
}

// scopes splits a "scope" claim (RFC 8693 section 4.2).
func (c claims) scopes() []string { return strings.Fields(c.scope) }

// isText is false if the member is there and no string.
func isText(members object, name string, into *string) bool {
	value, present := members[name]
	text, isText := value.(string)
	*into = text
	return isText || !present
}

// isTime is false if the member is there and no NumericDate: a JSON number between 1970 and 9999.
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
func isAudience(members object) bool {
	switch value := members["aud"].(type) {
	case string:
		return true
	case []any:
		return !slices.ContainsFunc(value, func(element any) bool {
			_, isText := element.(string)
			return !isText
		})
	default:
		_, present := members["aud"]
		return !present
	}
}
