package request

import (
	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/bearer"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/forward"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/requestcheck"
)

// serve answers what anybody may know, and takes all else to the server if it is let in.
func (x *exchange) serve() {
	if denial := requestcheck.Check(x.request, x.snapshot.Config); denial != nil {
		x.refuse(denial)
		return
	}
	if x.answerPublic() {
		return
	}
	if denial := x.admit(); denial != nil {
		x.refuse(denial)
		return
	}
	x.result.admitted = x.handler.Now()
	x.handler.Forwarder.Serve(x.response, x.request, forward.Request{
		Principal: x.caller.principal, Upstream: x.snapshot.Config.Upstream, Body: x.body, Site: x.snapshot.Site,
		Admitted: x.recheckWhileReading, Answered: x.sealSession, Streaming: x.openStream, Waiting: x.watchAnswer,
	}, x.fail)
}

// admit verifies the token, then judges path, session and rights; the first step that refuses ends it.
func (x *exchange) admit() *deny.Denial {
	token, denial := bearer.Token(x.request.Header)
	if denial != nil {
		return denial
	}
	if denial = x.verifyToken(token); denial != nil {
		return denial
	}
	x.caller.token = token
	if x.snapshot.RevocationsUnknown {
		return deny.RevocationsUnavailable()
	}
	if denial = x.enter(); denial != nil {
		return denial
	}
	if denial = requestcheck.Endpoint(x.request, x.snapshot.Config.Upstream); denial != nil {
		return denial
	}
	if denial = x.openSession(); denial != nil {
		return denial
	}
	if denial = x.authorize(); denial != nil {
		return denial
	}
	return x.roomForStream()
}

// enter counts the request as its caller's, who has more time and room from now on than before.
func (x *exchange) enter() *deny.Denial {
	if err := x.account.Enter(userOf(x.caller.principal), int(x.snapshot.Config.Limits.Requests)); err != nil {
		return deny.BodyError(err)
	}
	x.caller.entered = true
	x.conn.Admit()
	x.deadline.SetPatience(x.handler.WritePatience)
	return nil
}

// leave is for the end of the request.
func (x *exchange) leave() {
	x.body.Release()
	x.account.Close()
	x.conn.End(x.caller.entered)
}

func (x *exchange) fail(failure forward.Failure) {
	x.result.denial, x.result.failure = failure.Denial, failure.Kind
	x.handler.Redirected(failure.RedirectPath)
}
