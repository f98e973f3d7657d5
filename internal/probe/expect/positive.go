package expect

import (
	"encoding/json"
	"net/http"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/wire"
)

// ExpectedResult words what a good token must get.
const ExpectedResult = "2xx with a JSON-RPC result"

// Positive judges one answer to a valid token; result is set when Passed.
func Positive(a wire.Answer, id string) (outcome probe.Outcome, result json.RawMessage) {
	if outcome := a.Outcome(); outcome != probe.Passed {
		return outcome, nil
	}
	switch {
	case wire.IsRedirect(a.Status):
		return probe.Redirect, nil
	case a.Status == http.StatusTooManyRequests:
		return probe.Throttled, nil
	case wire.IsUnavailable(a.Status):
		return probe.Unavailable, nil
	case wire.IsRefusal(a.Status):
		return probe.Rejected, nil
	case !wire.IsSuccess(a.Status):
		return probe.WrongStatus, nil
	}
	response, ok := wire.ParseResponse(a.Body, id)
	if !ok || response.Failed() || !answerTypes[a.MediaType()] {
		return probe.NoResult, nil
	}
	return probe.Passed, response.Result
}

// answerTypes are the media types in which clients take an answer (MCP transports, "Sending Messages to the Server").
var answerTypes = map[string]bool{"application/json": true, "text/event-stream": true}

// Notification: any 2xx will do, 202 without a body is the rule (MCP transports, "Sending Messages").
func Notification(a wire.Answer) probe.Outcome {
	outcome, _ := Positive(a, "")
	if outcome == probe.NoResult {
		return probe.Passed
	}
	return outcome
}

// Precondition is what the answer to a good token means within a case: that the case could not be put, unless the
// token was refused, or the gate gave no answer at all.
func Precondition(outcome probe.Outcome, status int) probe.Outcome {
	switch outcome {
	case probe.Passed, probe.Rejected:
		return outcome
	case probe.Reset, probe.ClosedWithoutAnswer:
		if status == 0 {
			return outcome
		}
	default:
	}
	return probe.NotTried
}
