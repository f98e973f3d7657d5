package request

import (
	"errors"
	"net/http"
	"runtime/debug"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
)

// refuse answers in place of the server.
func (x *exchange) refuse(denial *deny.Denial) {
	x.result.denial = denial
	if !x.caller.entered {
		x.conn.Refuse()
		if x.handler.Connections.Crowded() {
			x.body.SkipDrain()
		}
	}
	denial.Answer(x.response, x.body, x.snapshot.Site)
}

// recoverPanic turns a panic into an answer, or where an answer has begun, into one that visibly breaks off.
func (x *exchange) recoverPanic() {
	cause := recover()
	if cause == nil {
		return
	}
	if err, isError := cause.(error); isError && errors.Is(err, http.ErrAbortHandler) {
		panic(http.ErrAbortHandler)
	}
	x.handler.Log.Error("panic while serving a request", "panic", cause, "stack", string(debug.Stack()))
	if x.response.status != 0 {
		x.result.denial = deny.Internal()
		panic(http.ErrAbortHandler)
	}
	x.refuse(deny.Internal())
}
