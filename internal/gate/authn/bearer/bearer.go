// Package bearer finds the one bearer token of a request (RFC 6750 section 2.1, RFC 9110 section 11.4).
//
// It must not know what a token is: any token68 will do.
package bearer

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// Token gives the token of the only Authorization header. Another scheme than Bearer counts as no token at all.
// Tokens anywhere else, in particular in the query, are not looked at (OAuth 2.1 section 5.1).
func Token(header http.Header) (string, *deny.Denial) {
	values := header.Values("Authorization")
	if len(values) > 1 {
		return "", deny.TwoTokens()
	}
	if len(values) == 0 {
		return "", deny.Token(gateapi.ReasonMissingToken)
	}
	schemeEnd := strings.IndexFunc(values[0], func(c rune) bool { return !isTokenChar(c) })
	if schemeEnd < 0 {
		schemeEnd = len(values[0])
	}
	scheme, rest := values[0][:schemeEnd], values[0][schemeEnd:]
	if !strings.EqualFold(scheme, "Bearer") {
		return "", deny.Token(gateapi.ReasonMissingToken)
	}
	token := strings.TrimLeft(rest, " ")
	if len(token) == len(rest) || !isToken68(token) {
		return "", deny.Token(gateapi.ReasonMalformedToken)
	}
	return token, nil
}

// WithoutToken gives a query without its access_token parameters, and without those that could be read as one by
// someone who splits differently. The rest stays byte for byte.
func WithoutToken(rawQuery string) string {
	if rawQuery == "" {
		return ""
	}
	var kept []string
	for parameter := range strings.SplitSeq(rawQuery, "&") {
		name, _, _ := strings.Cut(parameter, "=")
		name, err := url.QueryUnescape(name)
		if err != nil || strings.Contains(parameter, ";") || strings.EqualFold(name, "access_token") {
			continue
		}
		kept = append(kept, parameter)
	}
	return strings.Join(kept, "&")
}

// isToken68 checks the token68 syntax of RFC 9110 section 11.2.
func isToken68(text string) bool {
	body := strings.TrimRight(text, "=")
	for i := range len(body) { // Each request has hundreds of these: a call for each would show.
		if c := body[i]; !isAlphanumeric(rune(c)) && c != '-' && c != '.' && c != '_' && c != '~' && c != '+' && c != '/' {
			return false
		}
	}
	return body != ""
}

// isTokenChar tells the characters of a "token" (RFC 9110 section 5.6.2), such as a scheme's name.
func isTokenChar(c rune) bool {
	return isAlphanumeric(c) || strings.ContainsRune("!#$%&'*+-.^_`|~", c)
}

func isAlphanumeric(c rune) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
