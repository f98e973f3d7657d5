package gate

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/forward"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/message"
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

// judgement gives what lets a caller in under a snapshot, and lets it ask what it asked, to be judged again while a
// stream is open. Rules that come while it is open end a stream whose message nobody has judged.
func (v *visit) judgement(token string, messages []message.Message) func(*snapshot.Snapshot) *deny.Denial {
	unread := v.request.Method == http.MethodPost && !v.readsBody()
	return func(s *snapshot.Snapshot) *deny.Denial {
		principal, denial := s.Verifier.Verify(token)
		switch {
		case denial != nil:
			return denial
		case unread && s.Policy.JudgesBodies():
			return deny.Rights()
		default:
			return v.judgeRights(s, principal, messages)
		}
	}
}

// roomForStream refuses what may become a stream while the caller has no room for one: before the server has seen it,
// because what a server was asked to do cannot be taken back.
func (v *visit) roomForStream() *deny.Denial {
	accepted := strings.Join(v.request.Header.Values("Accept"), ",")
	limit := int(v.snapshot.Config.Limits.Streams)
	if strings.Contains(accepted, "text/event-stream") && v.gate.streams.Full(callerOf(v.principal), limit) {
		return deny.Streams()
	}
	return nil
}

// openStream enters a stream, and ends it in time.
func (v *visit) openStream(end func(forward.StreamEnd)) (over func(), refused *deny.Denial) {
	config := v.snapshot.Config
	finish := func(why forward.StreamEnd, reason deny.Reason) {
		v.ended.CompareAndSwap(nil, &reason)
		v.steady.hurry()
		end(why)
	}
	leave, ok := v.gate.streams.Open(streams.Stream{
		Caller: callerOf(v.principal), JudgedBy: v.snapshot, Judge: v.judge,
		Refused: func(denial *deny.Denial) {
			why := endRefused
			if denial.Reason == deny.Expired {
				why = endExpired
			}
			finish(why, denial.Reason)
		},
	}, int(config.Limits.Streams))
	if !ok {
		return nil, deny.Streams()
	}
	life, why, reason := v.principal.Deadline().Sub(v.gate.options.Now()), endExpired, deny.Expired
	if longest := seconds(config.Limits.StreamMaxSeconds); longest > 0 && longest < life {
		life, why, reason = longest, endTooOld, deny.StreamTooOld
	}
	timer := time.AfterFunc(life, func() { finish(why, reason) })
	draining, done := v.gate.drain.StreamsEnd(v.request.Method), make(chan struct{})
	go func() {
		select {
		case <-draining:
			finish(endDraining, deny.Draining)
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

// renew follows what changes under open streams, and the gate's secret. It does not wait for the self-test.
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
			if current := g.store.Current(); current != judged {
				g.streams.Judge()
				judged = current
			}
		}
	}
}
