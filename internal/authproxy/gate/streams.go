package gate

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/forward"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/snapshot"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/streams"
)

// Why a stream ends before its server ends it.
const (
	endExpired  forward.StreamEnd = "the access token has expired"
	endRefused  forward.StreamEnd = "the access token is no longer accepted"
	endTooOld   forward.StreamEnd = "the stream has been open for as long as streams may be: open another"
	endDraining forward.StreamEnd = "the server is shutting down"
)

// identifyBy judges the caller by another snapshot, whatever was asked.
func (v *visit) identifyBy(s *snapshot.Snapshot) *deny.Denial {
	principal, denial := s.Verifier.Verify(v.token)
	switch {
	case denial != nil:
		return denial
	case s.RevocationsUnknown:
		return deny.Blind()
	case principal.Reserved() && !v.principal.Reserved():
		return deny.Reserved()
	default:
		return nil
	}
}

// authorizeBy judges what was asked by another snapshot. Rules that come later refuse a message that nobody has read, or
// that was too long to be remembered.
func (v *visit) authorizeBy(s *snapshot.Snapshot) *deny.Denial {
	unread := v.request.Method == http.MethodPost && !v.readsBody()
	if s.Policy.JudgesBodies() && (unread || v.forgotten) {
		return deny.Rights().Because("rules that came after a message that nobody has judged, or remembered")
	}
	principal, denial := s.Verifier.Verify(v.token)
	if denial != nil {
		return denial
	}
	return v.judgeRights(s, principal, v.messages)
}

// keptBytes is how much of what was asked is remembered while an answer is open.
const keptBytes = 16 << 10

// lighten lets go of messages that are too long to be kept as long as an answer may be open. Other rules end it then.
func (v *visit) lighten() {
	size := 0
	for _, m := range v.messages {
		size += len(m.Method) + len(m.Name)
		for _, uri := range m.URIs {
			size += len(uri)
		}
	}
	if size > keptBytes {
		v.messages, v.forgotten = nil, true
	}
	_ = v.account.Reserve(-v.messageBytes) // To give back is never refused.
	v.messageBytes = 0
}

// roomForStream refuses what may become a stream while the caller has no room for one: before the server has seen it,
// because what a server was asked to do cannot be taken back.
func (v *visit) roomForStream() *deny.Denial {
	accepted := strings.Join(v.request.Header.Values("Accept"), ",")
	limit := int(v.snapshot.Config.Limits.Streams)
	if !strings.Contains(accepted, "text/event-stream") {
		return nil
	}
	return v.gate.streams.Full(userOf(v.principal), limit, v.isStanding())
}

// isStanding reports whether the request asks for nothing but a stream (MCP transports, "Listening for Messages from the
// Server").
func (v *visit) isStanding() bool { return v.request.Method == http.MethodGet }

// openStream enters a stream, and ends it in time.
func (v *visit) openStream(end func(forward.StreamEnd)) (over func(), refused *deny.Denial) {
	config := v.snapshot.Config
	ends, why, reason := v.principal.Deadline(), endExpired, deny.Expired
	if longest := seconds(config.Limits.StreamMaxSeconds); longest > 0 {
		if oldest := v.gate.options.Now().Add(longest); oldest.Before(ends) {
			ends, why, reason = oldest, endTooOld, deny.StreamTooOld
		}
	}
	stream := v.openAnswer(end, ends, why, reason)
	leave, full := v.gate.streams.Open(stream, int(config.Limits.Streams))
	if full != nil {
		return nil, full
	}
	timer := time.AfterFunc(ends.Sub(v.gate.options.Now()), stream.Ended)
	draining, done := v.gate.drain.StreamsEnd(v.request.Method), make(chan struct{})
	go func() {
		select {
		case <-draining:
			v.finish(end, endDraining, deny.Draining)
		case <-done:
		}
	}()
	v.countAdmission()
	v.record(outcomeOpened, "")
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
func (v *visit) watchAnswer(end func(forward.StreamEnd)) (over func()) {
	answer := v.openAnswer(end, v.principal.Deadline().Add(answerGrace), endExpired, deny.Expired)
	refused := answer.Refused
	answer.Refused = func(denial *deny.Denial) {
		if denial.Reason != deny.Expired || !v.gate.options.Now().Before(answer.Ends) {
			refused(denial)
		}
	}
	return v.gate.streams.Watch(answer)
}

func (v *visit) openAnswer(end func(forward.StreamEnd), ends time.Time, why forward.StreamEnd, reason deny.Reason) streams.Stream {
	v.lighten()
	return streams.Stream{
		Caller: userOf(v.principal), Standing: v.isStanding(), Ends: ends, Ended: func() { v.finish(end, why, reason) },
		JudgedBy: v.snapshot, Identify: v.identifyBy, Authorize: v.authorizeBy,
		Refused: func(denial *deny.Denial) {
			why := endRefused
			if denial.Reason == deny.Expired {
				why = endExpired
			}
			v.finish(end, why, denial.Reason)
		},
	}
}

// finish ends an open answer.
func (v *visit) finish(end func(forward.StreamEnd), why forward.StreamEnd, reason deny.Reason) {
	v.ended.CompareAndSwap(nil, &reason)
	v.steady.hurry()
	end(why)
}

// renew follows what changes under open answers, the clock, and the gate's secret. It does not wait for the self-test.
func (g *Gate) renew(ctx context.Context) {
	ticker := time.NewTicker(g.options.PollInterval)
	defer ticker.Stop()
	judged := g.store.Current()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			g.secrets.poll()
			g.streams.Expire(g.options.Now())
			if current := g.store.Current(); current != judged {
				g.streams.Judge()
				judged = current
			}
		}
	}
}
