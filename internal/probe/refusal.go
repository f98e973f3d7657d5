package probe

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// refusal is the answer that a bad request must get.
type refusal struct {
	status int
	// reasons are those that the gate may name; most often there is one.
	reasons []string
	// challenge is the kind of WWW-Authenticate.
	challenge challenge
	// scopes must all be in the challenge.
	scopes []string
	// bodyless: an answer to HEAD.
	bodyless bool
}

// challenge is the "error" of a Bearer challenge (RFC 6750 section 3.1).
type challenge string

const (
	// noChallenge: no WWW-Authenticate at all.
	noChallenge challenge = ""
	// bare: a challenge without an error: no token was presented.
	bare           challenge = "none"
	invalidToken   challenge = "invalid_token"
	invalidRequest challenge = "invalid_request"
	lowScope       challenge = "insufficient_scope"
)

// unauthorized refuses a token for one of the reasons.
func unauthorized(reasons ...string) refusal {
	want := refusal{status: http.StatusUnauthorized, reasons: reasons, challenge: invalidToken}
	if reasons[0] == reasonMissingToken {
		want.challenge = bare
	}
	return want
}

// refused refuses a request, whatever its token.
func refused(status int, reason string) refusal {
	return refusal{status: status, reasons: []string{reason}}
}

// lacking refuses a good token for want of scopes.
func lacking(scopes []string) refusal {
	return refusal{status: http.StatusForbidden, reasons: []string{"insufficient_scope"}, challenge: lowScope, scopes: scopes}
}

func (want refusal) expected(exact bool) string {
	if !exact {
		return "401 or 403"
	}
	text := fmt.Sprint(want.status)
	switch want.challenge {
	case noChallenge:
	case lowScope:
		text += " with a Bearer challenge for " + strings.Join(want.scopes, " ")
	default:
		text += " with a Bearer challenge"
	}
	if want.challenge == noChallenge {
		return text + " with reason " + strings.Join(want.reasons, " or ")
	}
	return text + " and reason " + strings.Join(want.reasons, " or ")
}

// judge compares an answer with the refusal. sent is what the answer must not repeat.
func (want refusal) judge(a answer, id string, exact bool, sent []string) Outcome {
	switch {
	case isSuccess(a.status):
		return judgeEntry(a, id, exact)
	case a.outcome() != Passed:
		return a.outcome()
	case exact && strings.HasPrefix(a.reason(), upstreamPrefix):
		return Accepted
	case isRedirect(a.status):
		return Redirect
	case a.status == http.StatusTooManyRequests:
		return Throttled
	case isUnavailable(a.status):
		return Unavailable
	}
	outcome := WrongStatus
	if exact {
		outcome = want.judgeExactly(a, id)
	} else if isRefusal(a.status) {
		outcome = Passed
	}
	if outcome == Passed && a.leaks(sent) {
		return InformationLeak
	}
	return outcome
}

// judgeEntry: a 2xx head is an entry even if the rest never comes. A foreign server may refuse inside JSON-RPC, by an
// error or by a result that calls itself one, which is no entry, and nothing that HTTP clients understand; of the gate
// no request comes out that way.
func judgeEntry(a answer, id string, exact bool) Outcome {
	if response, ok := parseResponse(a.body, id); ok && response.failed() && !exact {
		return WrongStatus
	}
	return Accepted
}

// judgeExactly holds an answer against what the gate promises about its refusals.
func (want refusal) judgeExactly(a answer, id string) Outcome {
	response, ok := parseResponse(a.body, id)
	isError := ok && response.Error != nil
	switch {
	case a.reason() == "":
		return ForeignAnswer
	case a.status != want.status:
		return WrongStatus
	case !want.bodyless && (!isError || a.mediaType() != "application/json" || !tells(response.Error.Message, a.status)):
		return UnclearMessage
	case !slices.Contains(want.reasons, a.reason()) || !want.bodyless && response.Error.reason() != a.reason():
		return WrongReason
	case !want.challenges(a.header):
		return MissingChallenge
	default:
		return Passed
	}
}

// about finds the words without which a message cannot be about authorization.
var about = regexp.MustCompile(`(?i)token|auth|jwt|credential`)

// tells is true when the message says more than the name of its status; of a 401, what it has to do with a token.
func tells(message string, status int) bool {
	rest := strings.TrimPrefix(message, http.StatusText(status))
	if status == http.StatusUnauthorized {
		return about.MatchString(rest)
	}
	return strings.Trim(rest, ": .") != ""
}

// bearerChallenge is one Bearer challenge with at least one parameter, all of them quoted (RFC 6750 section 3).
var bearerChallenge = regexp.MustCompile(`(?i)^Bearer +[a-z_]+="[^"\\]*"(, *[a-z_]+="[^"\\]*")*$`)

// challenges is true when there is exactly the challenge that the gate makes, or none where there must be none. A
// request without a token must not be told an error code, one with a bad token must (RFC 6750 section 3.1).
func (want refusal) challenges(header http.Header) bool {
	values := header.Values("WWW-Authenticate")
	if want.challenge == noChallenge {
		return len(values) == 0
	}
	if len(values) != 1 || !bearerChallenge.MatchString(values[0]) {
		return false
	}
	if realm := parameter(values[0], "realm"); realm == "" {
		return false
	}
	if want.challenge == bare {
		return !strings.Contains(strings.ToLower(values[0]), `error="`)
	}
	scopes := strings.Fields(parameter(values[0], "scope"))
	return parameter(values[0], "error") == string(want.challenge) &&
		!slices.ContainsFunc(want.scopes, func(scope string) bool { return !slices.Contains(scopes, scope) })
}

// parameter is the value of a parameter of bearerChallenge, "" if it is absent.
func parameter(value, name string) string {
	found := regexp.MustCompile(`(?i)(?:^Bearer +|, *)` + name + `="([^"]*)"`).FindStringSubmatch(value)
	if found == nil {
		return ""
	}
	return found[1]
}
