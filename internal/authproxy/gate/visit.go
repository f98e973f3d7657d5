package gate

import (
	"errors"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/bearer"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/body"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/budget"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/flood"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/forward"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/message"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/session"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/snapshot"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/surface"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/verify"
)

// visit is one request on its way through the gate, and what is known of it for log and metrics.
type visit struct {
	gate     *Gate
	snapshot *snapshot.Snapshot // the one it is judged by
	answer   *recorder
	request  *http.Request
	body     *body.Body
	began    time.Time
	source   flood.Source

	claimed   string // the provider that the token names, if one is known
	principal verify.Principal
	entered   bool      // it counts as its caller's
	admitted  time.Time // when it was let through to the server
	denial    *deny.Denial
	failure   deny.Reason      // how the exchange with the server failed
	message   *message.Message // the first that was judged; nil if none was
	public    bool             // answered by the gate with what anybody may know

	requestID string // by which client and logs know it
	serverID  string // by which the server knows it
	told      bool   // probe is known; see isProbe
	probe     bool
	steady    *steady
	conn      *connection // nil in tests without a server of our own
	account   budget.Account[session.Caller]
	binding   *binding                    // of sessions; nil if they are not bound
	ended     atomic.Pointer[deny.Reason] // why the gate ended an open answer

	// What the caller is judged by again, while the body comes and while the answer is open.
	token        string
	messages     []message.Message
	messageBytes int64 // that the account holds for them
	forgotten    bool  // they were too long to be kept
}

func (g *Gate) serveClient(w http.ResponseWriter, r *http.Request) {
	defer g.metrics.Begin()()
	conn := connectionOf(r)
	conn.begin()
	defer g.drain.Enter(r.Method)()
	// Requests and answers may overlap; without this net/http would swallow the request when the answer begins.
	// HTTP/2 always can and says so with an error.
	_ = http.NewResponseController(w).EnableFullDuplex()
	current := g.store.Current()
	steady := newSteady(w, r, min(strangerPatience, g.options.WritePatience))
	defer steady.release()
	w = steady
	v := &visit{
		gate: g, snapshot: current, request: r, began: time.Now(), source: current.Sources.Of(r), steady: steady,
		answer: &recorder{ResponseWriter: w, leaving: g.drain.Ending, request: r, origins: current.Config.AllowedOrigins},
		body:   body.Of(w, r, current.Config.Limits.BodyBytes), conn: conn, account: g.budget.Open(),
	}
	v.body.Charge(&v.account)
	defer v.leave()
	defer v.conclude()
	defer v.rescue()
	v.identify()
	v.pass()
}

// pass answers what anybody may know, and takes all else to the server if it is let in.
func (v *visit) pass() {
	if denial := surface.Check(v.request, v.snapshot.Config); denial != nil {
		v.deny(denial)
		return
	}
	if v.isPublic() {
		return
	}
	if denial := v.admit(); denial != nil {
		v.deny(denial)
		return
	}
	v.admitted = v.gate.options.Now()
	v.gate.forwarder.Serve(v.answer, v.request, forward.Request{
		Principal: v.principal, Upstream: v.snapshot.Config.Upstream, Body: v.body, Site: v.snapshot.Site,
		Admitted: v.admittedNow, Answered: v.sealSessions, Streaming: v.openStream, Waiting: v.watchAnswer,
	}, v.failed)
}

// admit asks who it is, whether there is such a place, whose session it is, and what is wanted; the first that refuses
// ends it.
func (v *visit) admit() *deny.Denial {
	token, denial := bearer.Token(v.request.Header)
	if denial != nil {
		return denial
	}
	if denial = v.verify(token); denial != nil {
		return denial
	}
	v.token = token
	if v.snapshot.RevocationsUnknown {
		return deny.Blind()
	}
	if denial = v.enter(); denial != nil {
		return denial
	}
	if denial = surface.Endpoint(v.request, v.snapshot.Config.Upstream); denial != nil {
		return denial
	}
	if denial = v.bind(); denial != nil {
		return denial
	}
	if denial = v.authorize(); denial != nil {
		return denial
	}
	return v.roomForStream()
}

// enter counts the request as its caller's, who has more time and room from now on than strangers have.
func (v *visit) enter() *deny.Denial {
	if err := v.account.Enter(userOf(v.principal), int(v.snapshot.Config.Limits.Requests)); err != nil {
		v.conn.recognize()
		return deny.Unread(err)
	}
	v.entered = true
	v.conn.admit()
	v.steady.trust(v.gate.options.WritePatience)
	return nil
}

// leave is for the end of the request.
func (v *visit) leave() {
	v.body.Release()
	v.account.Close()
	v.conn.end(v.entered)
}

// stillAdmitted judges the caller again by what is in force now: a body may take its time, and a token that has expired
// or was revoked meanwhile acts no more, whenever its request began.
func (v *visit) stillAdmitted() *deny.Denial {
	current := v.gate.store.Current()
	if current == v.snapshot && v.gate.options.Now().Before(v.principal.Deadline()) {
		return nil
	}
	if denial := v.identifyBy(current); denial != nil {
		return denial
	}
	if v.snapshot.SameRules(current) {
		return nil
	}
	return v.authorizeBy(current)
}

// admittedNow is stillAdmitted, and remembers why not: the answer may have begun.
func (v *visit) admittedNow() *deny.Denial {
	denial := v.stillAdmitted()
	if denial != nil {
		v.ended.CompareAndSwap(nil, &denial.Reason)
	}
	return denial
}

func (v *visit) deny(denial *deny.Denial) {
	v.denial = denial
	if !v.entered && v.gate.waiting.crowded() {
		v.body.Hurry()
	}
	denial.Answer(v.answer, v.body, v.snapshot.Site)
}

func (v *visit) failed(failure forward.Failure) {
	v.denial, v.failure = failure.Denial, failure.Kind
	v.gate.noteRedirect(failure.RedirectPath)
}

// rescue turns a panic into an answer, or where an answer has begun, into one that visibly breaks off.
func (v *visit) rescue() {
	cause := recover()
	if cause == nil {
		return
	}
	if err, isError := cause.(error); isError && errors.Is(err, http.ErrAbortHandler) {
		panic(http.ErrAbortHandler)
	}
	v.gate.options.Log.Error("panic while serving a request", "panic", cause, "stack", string(debug.Stack()))
	if v.answer.status != 0 {
		v.denial = deny.Bug()
		panic(http.ErrAbortHandler)
	}
	v.deny(deny.Bug())
}
