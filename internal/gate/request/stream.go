package request

import (
	"net/http"
	"strings"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/forward"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/limit/streams"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/source/snapshot"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// Why a stream ends before its server ends it.
const (
	endExpired  forward.StreamEnd = "the access token has expired"
	endRefused  forward.StreamEnd = "the access token is no longer accepted"
	endTooOld   forward.StreamEnd = "the stream has been open for as long as streams may be: open another"
	endDraining forward.StreamEnd = "the server is shutting down"
)

// roomForStream refuses what may become a stream while the caller has no room for one: before the server has seen it,
// because what a server was asked to do cannot be taken back.
func (x *exchange) roomForStream() *deny.Denial {
	accepted := strings.Join(x.request.Header.Values("Accept"), ",")
	limit := int(x.snapshot.Config.Limits.Streams)
	if !strings.Contains(accepted, "text/event-stream") {
		return nil
	}
	return x.handler.Streams.Full(userOf(x.caller.principal), limit, x.isStanding())
}

// isStanding reports whether the request asks for nothing but a stream (MCP transports, "Listening for Messages from the
// Server").
func (x *exchange) isStanding() bool { return x.request.Method == http.MethodGet }

// openStream enters a stream, and ends it in time.
func (x *exchange) openStream(end func(forward.StreamEnd)) (over func(), refused *deny.Denial) {
	config := x.snapshot.Config
	ends, why, reason := x.caller.principal.Deadline(), endExpired, gateapi.ReasonExpired
	if longest := time.Duration(config.Limits.StreamMaxSeconds) * time.Second; longest > 0 {
		if oldest := x.handler.Now().Add(longest); oldest.Before(ends) {
			ends, why, reason = oldest, endTooOld, gateapi.ReasonStreamTooOld
		}
	}
	stream := &openStream{openAnswer{exchange: x, end: end, why: why, reason: reason}}
	leave, full := x.handler.Streams.Open(x.entry(stream, ends), int(config.Limits.Streams))
	if full != nil {
		return nil, full
	}
	if x.handler.Drain.StreamsEnd(x.request.Method) {
		stream.Drain()
	}
	timer := time.AfterFunc(ends.Sub(x.handler.Now()), stream.Expire)
	x.countAdmission()
	x.writeAudit(outcomeOpened, "")
	return func() {
		timer.Stop()
		leave()
	}, nil
}

// answerGrace is how long an answer that is no stream, and has begun, may go on when its token has expired: what was asked
// for was done, and to cut its result would depend on how the server writes it.
const answerGrace = time.Minute

// watchAnswer has an answer end that is no stream, and whose end has to be waited for: at once when its caller may no longer
// be here, and within answerGrace when its token has expired.
func (x *exchange) watchAnswer(end func(forward.StreamEnd)) (over func()) {
	ends := x.caller.principal.Deadline().Add(answerGrace)
	answer := &slowAnswer{openAnswer{exchange: x, end: end, why: endExpired, reason: gateapi.ReasonExpired}, ends}
	return x.handler.Streams.Watch(x.entry(answer, ends))
}

func (x *exchange) entry(answer streams.Answer, ends time.Time) streams.Stream {
	x.dropLongMessages()
	return streams.Stream{
		Caller: userOf(x.caller.principal), Standing: x.isStanding(), Ends: ends, JudgedBy: x.snapshot, Answer: answer,
	}
}

// openAnswer is an answer that has begun.
type openAnswer struct {
	*exchange

	end func(forward.StreamEnd)
	// why and reason are those of its expiry.
	why    forward.StreamEnd
	reason gateapi.Reason
}

// Identify implements streams.Answer.
func (a *openAnswer) Identify(s *snapshot.Snapshot) *deny.Denial { return a.recheckIdentity(s) }

// Authorize implements streams.Answer.
func (a *openAnswer) Authorize(s *snapshot.Snapshot) *deny.Denial { return a.recheckRights(s) }

// Expire implements streams.Answer.
func (a *openAnswer) Expire() { a.endAnswer(a.end, a.why, a.reason) }

// Refuse implements streams.Answer.
func (a *openAnswer) Refuse(denial *deny.Denial) {
	why := endRefused
	if denial.Reason == gateapi.ReasonExpired {
		why = endExpired
	}
	a.endAnswer(a.end, why, denial.Reason)
}

// openStream is a stream of server-sent events.
type openStream struct{ openAnswer }

// Drain implements streams.Answer.
func (s *openStream) Drain() { s.endAnswer(s.end, endDraining, gateapi.ReasonDraining) }

// slowAnswer is an answer that is no stream.
type slowAnswer struct {
	openAnswer

	ends time.Time
}

// Drain implements streams.Answer: work in progress has the time to finish.
func (*slowAnswer) Drain() {}

// Refuse implements streams.Answer.
func (a *slowAnswer) Refuse(denial *deny.Denial) {
	if denial.Reason != gateapi.ReasonExpired || !a.handler.Now().Before(a.ends) {
		a.openAnswer.Refuse(denial)
	}
}

// endAnswer ends an open answer.
func (x *exchange) endAnswer(end func(forward.StreamEnd), why forward.StreamEnd, reason gateapi.Reason) {
	x.result.ended.CompareAndSwap(nil, &reason)
	x.deadline.Shorten()
	end(why)
}
