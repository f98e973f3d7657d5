package request

import (
	"net/http"
	"strings"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/forward"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/limit/streams"
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
	stream := x.openAnswer(end, ends, why, reason)
	leave, full := x.handler.Streams.Open(stream, int(config.Limits.Streams))
	if full != nil {
		return nil, full
	}
	timer := time.AfterFunc(ends.Sub(x.handler.Now()), stream.Ended)
	draining, done := x.handler.Drain.StreamsEnd(x.request.Method), make(chan struct{})
	go func() {
		select {
		case <-draining:
			x.endAnswer(end, endDraining, gateapi.ReasonDraining)
		case <-done:
		}
	}()
	x.countAdmission()
	x.writeAudit(outcomeOpened, "")
	return func() {
		timer.Stop()
		close(done)
		leave()
	}, nil
}

// answerGrace is how long an answer that is no stream, and has begun, may go on when its token has expired: what was asked
// for was done, and to cut its result would depend on how the server writes it.
const answerGrace = time.Minute

// watchAnswer has an answer end that is no stream, and whose end has to be waited for: at once when its caller may no longer
// be here, and within answerGrace when its token has expired.
func (x *exchange) watchAnswer(end func(forward.StreamEnd)) (over func()) {
	answer := x.openAnswer(end, x.caller.principal.Deadline().Add(answerGrace), endExpired, gateapi.ReasonExpired)
	refused := answer.Refused
	answer.Refused = func(denial *deny.Denial) {
		if denial.Reason != gateapi.ReasonExpired || !x.handler.Now().Before(answer.Ends) {
			refused(denial)
		}
	}
	return x.handler.Streams.Watch(answer)
}

func (x *exchange) openAnswer(end func(forward.StreamEnd), ends time.Time, why forward.StreamEnd, reason gateapi.Reason) streams.Stream {
	x.dropLongMessages()
	return streams.Stream{
		Caller: userOf(x.caller.principal), Standing: x.isStanding(), Ends: ends, Ended: func() { x.endAnswer(end, why, reason) },
		JudgedBy: x.snapshot, Identify: x.recheckIdentity, Authorize: x.recheckRights,
		Refused: func(denial *deny.Denial) {
			why := endRefused
			if denial.Reason == gateapi.ReasonExpired {
				why = endExpired
			}
			x.endAnswer(end, why, denial.Reason)
		},
	}
}

// endAnswer ends an open answer.
func (x *exchange) endAnswer(end func(forward.StreamEnd), why forward.StreamEnd, reason gateapi.Reason) {
	x.result.ended.CompareAndSwap(nil, &reason)
	x.deadline.Shorten()
	end(why)
}
