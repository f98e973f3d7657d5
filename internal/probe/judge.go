package probe

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
)

const expectedResult = "2xx with a JSON-RPC result"

func (n negative) expected(exact bool) string {
	if !exact {
		return "401 or 403"
	}
	return "401 with a Bearer challenge and reason " + n.reason
}

// judge compares an answer with the refusal that the case calls for.
func (n negative) judge(a answer, id string, exact bool) Outcome {
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
	case exact:
		return n.judgeRefusal(a, id)
	case isRefusal(a.status):
		return Passed
	default:
		return WrongStatus
	}
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

// judgeRefusal holds an answer against what the gate promises about its refusals.
func (n negative) judgeRefusal(a answer, id string) Outcome {
	response, ok := parseResponse(a.body, id)
	switch {
	case a.reason() == "":
		return ForeignAnswer
	case a.status != http.StatusUnauthorized:
		return WrongStatus
	case !ok || response.Error == nil || a.mediaType() != "application/json" || !tells(response.Error.Message):
		return UnclearMessage
	case a.reason() != n.reason || response.Error.reason() != n.reason:
		return WrongReason
	case !challenges(a.header, n.name != NoToken):
		return MissingChallenge
	default:
		return Passed
	}
}

// about finds the words without which a message cannot be about authorization.
var about = regexp.MustCompile(`(?i)token|auth|jwt|credential`)

// tells is true when the message says more than the name of its status.
func tells(message string) bool {
	return about.MatchString(strings.TrimPrefix(message, http.StatusText(http.StatusUnauthorized)))
}

// bearerChallenge is one Bearer challenge with at least one parameter, all of them quoted (RFC 6750 section 3).
var bearerChallenge = regexp.MustCompile(`(?i)^Bearer +[a-z_]+="[^"\\]*"(, *[a-z_]+="[^"\\]*")*$`)

// challenges is true when there is exactly one challenge, as the gate makes it. A request without a token must not be
// told an error code (RFC 6750 section 3.1), one with a bad token must.
func challenges(header http.Header, presented bool) bool {
	values := header.Values("WWW-Authenticate")
	if len(values) != 1 || !bearerChallenge.MatchString(values[0]) {
		return false
	}
	hasRealm := strings.Contains(values[0], `realm="`) && !strings.Contains(values[0], `realm=""`)
	hasError := strings.Contains(values[0], `error="`)
	isInvalid := strings.Contains(values[0], `error="invalid_token"`)
	return hasRealm && hasError == presented && isInvalid == presented
}

// judgeControl judges one answer to a valid token; result is set when Passed.
func judgeControl(a answer, id string) (outcome Outcome, result json.RawMessage) {
	if outcome := a.outcome(); outcome != Passed {
		return outcome, nil
	}
	switch {
	case isRedirect(a.status):
		return Redirect, nil
	case a.status == http.StatusTooManyRequests:
		return Throttled, nil
	case isUnavailable(a.status):
		return Unavailable, nil
	case isRefusal(a.status):
		return Rejected, nil
	case !isSuccess(a.status):
		return WrongStatus, nil
	}
	response, ok := parseResponse(a.body, id)
	if !ok || response.failed() || !answerTypes[a.mediaType()] {
		return NoResult, nil
	}
	return Passed, response.Result
}

// answerTypes are the media types in which clients take an answer (MCP transports, "Sending Messages to the Server").
var answerTypes = map[string]bool{"application/json": true, "text/event-stream": true}

func isRedirect(status int) bool { return status >= 300 && status < 400 }

func isUnavailable(status int) bool {
	return status == http.StatusBadGateway || status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout
}

func isRefusal(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusForbidden
}
