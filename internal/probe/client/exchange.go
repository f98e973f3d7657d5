package client

import (
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/wire"
)

// Exchange is what one case came to.
type Exchange struct {
	Outcome probe.Outcome
	Answer  wire.Answer
	// Step is the method whose answer decided, where a case takes several requests.
	Step string
	// ID is the JSON-RPC id of the request that was answered.
	ID string
	// Method is the HTTP method.
	Method string
	// Skip says why the case could not be put after all; "" if it was.
	Skip string
}

// Skipped says why a test case could not be put after all.
func Skipped(reason string) Exchange { return Exchange{Outcome: probe.NotTried, Skip: reason} }

// session is the id of the session that the answer opened, "" for none.
func (f Exchange) session() string {
	if !wire.IsSuccess(f.Answer.Status) {
		return ""
	}
	return f.Answer.Header.Get(sessionHeader)
}
