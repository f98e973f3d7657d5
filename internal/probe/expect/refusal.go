package expect

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/wire"
)

// Refusal is the answer that a bad request must get.
type Refusal struct {
	Status int
	// Reasons are those that the gate may name; most often there is one.
	Reasons []string
	// Challenge is the kind of WWW-Authenticate.
	Challenge Challenge
	// scopes must all be in the challenge.
	scopes []string
	// Bodyless: an answer to HEAD.
	Bodyless bool
}

// Unauthorized refuses a token for one of the reasons.
func Unauthorized(reasons ...string) Refusal {
	want := Refusal{Status: http.StatusUnauthorized, Reasons: reasons, Challenge: InvalidToken}
	if reasons[0] == probe.ReasonMissingToken {
		want.Challenge = Bare
	}
	return want
}

// Refused refuses a request, whatever its token.
func Refused(status int, reason string) Refusal {
	return Refusal{Status: status, Reasons: []string{reason}}
}

// LackingScopes refuses a good token for want of scopes.
func LackingScopes(scopes []string) Refusal {
	return Refusal{Status: http.StatusForbidden, Reasons: []string{"insufficient_scope"}, Challenge: lowScope, scopes: scopes}
}

// Expected words the refusal.
func (want Refusal) Expected(exact bool) string {
	if !exact {
		return "401 or 403"
	}
	text := fmt.Sprint(want.Status)
	switch want.Challenge {
	case noChallenge:
	case lowScope:
		text += " with a Bearer challenge for " + strings.Join(want.scopes, " ")
	default:
		text += " with a Bearer challenge"
	}
	if want.Challenge == noChallenge {
		return text + " with reason " + strings.Join(want.Reasons, " or ")
	}
	return text + " and reason " + strings.Join(want.Reasons, " or ")
}

// Judge compares an answer with the refusal. sent is what the answer must not repeat.
func (want Refusal) Judge(a wire.Answer, id string, exact bool, sent []string) probe.Outcome {
	switch {
	case wire.IsSuccess(a.Status):
		return judgeEntry(a, id, exact)
	case a.Outcome() != probe.Passed:
		return a.Outcome()
	case exact && strings.HasPrefix(a.Reason(), probe.UpstreamPrefix):
		return probe.Accepted
	case wire.IsRedirect(a.Status):
		return probe.Redirect
	case a.Status == http.StatusTooManyRequests:
		return probe.Throttled
	case wire.IsUnavailable(a.Status):
		return probe.Unavailable
	}
	outcome := probe.WrongStatus
	if exact {
		outcome = want.judgeExactly(a, id)
	} else if wire.IsRefusal(a.Status) {
		outcome = probe.Passed
	}
	if outcome == probe.Passed && leaks(a, sent) {
		return probe.InformationLeak
	}
	return outcome
}

// judgeEntry: a 2xx head is an entry even if the rest never comes. A foreign server may refuse inside JSON-RPC, by an
// error or by a result that calls itself one, which is no entry, and nothing that HTTP clients understand; of the gate
// no request comes out that way.
func judgeEntry(a wire.Answer, id string, exact bool) probe.Outcome {
	if response, ok := wire.ParseResponse(a.Body, id); ok && response.Failed() && !exact {
		return probe.WrongStatus
	}
	return probe.Accepted
}

// judgeExactly holds an answer against what the gate promises about its refusals.
func (want Refusal) judgeExactly(a wire.Answer, id string) probe.Outcome {
	response, ok := wire.ParseResponse(a.Body, id)
	isError := ok && response.Error != nil
	switch {
	case a.Reason() == "":
		return probe.ForeignAnswer
	case a.Status != want.Status:
		return probe.WrongStatus
	case !want.Bodyless && (!isError || a.MediaType() != "application/json" || !tells(response.Error.Message, a.Status)):
		return probe.UnclearMessage
	case !slices.Contains(want.Reasons, a.Reason()) || !want.Bodyless && response.Error.Reason() != a.Reason():
		return probe.WrongReason
	case !want.challenges(a.Header):
		return probe.MissingChallenge
	default:
		return probe.Passed
	}
}
