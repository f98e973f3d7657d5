package expect

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// Challenge is the "error" of a Bearer challenge (RFC 6750 section 3.1).
type Challenge string

// The kinds of challenges.
const (
	// noChallenge: no WWW-Authenticate at all.
	noChallenge Challenge = ""
	// Bare: a challenge without an error: no token was presented.
	Bare           Challenge = "none"
	InvalidToken   Challenge = "invalid_token"
	InvalidRequest Challenge = "invalid_request"
	lowScope       Challenge = "insufficient_scope"
)

// about finds the words without which a message cannot be about authorization.
var about = regexp.MustCompile(`(?i)token|auth|jwt|credential`)

// tells reports whether the message says more than the name of its status; of a 401, what it has to do with a token.
func tells(message string, status int) bool {
	rest := strings.TrimPrefix(message, http.StatusText(status))
	if status == http.StatusUnauthorized {
		return about.MatchString(rest)
	}
	return strings.Trim(rest, ": .") != ""
}

// bearerChallenge is one Bearer challenge with at least one parameter, all of them quoted (RFC 6750 section 3).
var bearerChallenge = regexp.MustCompile(`(?i)^Bearer +[a-z_]+="[^"\\]*"(, *[a-z_]+="[^"\\]*")*$`)

// challenges reports whether there is exactly the challenge that the gate makes, or none where there must be none. A
// request without a token must not be told an error code, one with a bad token must (RFC 6750 section 3.1).
func (want Refusal) challenges(header http.Header) bool {
	values := header.Values("WWW-Authenticate")
	if want.Challenge == noChallenge {
		return len(values) == 0
	}
	if len(values) != 1 || !bearerChallenge.MatchString(values[0]) {
		return false
	}
	if realm := Parameter(values[0], "realm"); realm == "" {
		return false
	}
	if want.Challenge == Bare {
		return !strings.Contains(strings.ToLower(values[0]), `error="`)
	}
	scopes := strings.Fields(Parameter(values[0], "scope"))
	return Parameter(values[0], "error") == string(want.Challenge) &&
		!slices.ContainsFunc(want.scopes, func(scope string) bool { return !slices.Contains(scopes, scope) })
}

// Parameter is the value of a parameter of bearerChallenge, "" if it is absent.
func Parameter(value, name string) string {
	found := regexp.MustCompile(`(?i)(?:^Bearer +|, *)` + name + `="([^"]*)"`).FindStringSubmatch(value)
	if found == nil {
		return ""
	}
	return found[1]
}
