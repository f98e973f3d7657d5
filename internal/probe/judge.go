package probe

import (
	"encoding/json"
	"net/http"
)

const expectedResult = "2xx with a JSON-RPC result"

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
