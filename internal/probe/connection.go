package probe

import (
	"context"
	"net/http"
	"time"
)

// drainPatience is how long a server may take to end a stream after it has answered, so that the next request can
// follow on the same connection.
const drainPatience = time.Second

// severed tells that the peer closed the connection between two answers, as it may.
const severed = "the connection was closed between two requests"

// oneConnection sends a good, no, a good and a malformed token over one connection.
func oneConnection(ctx context.Context, r *round, good string) finding {
	var recorder recorder
	transport := r.transport(&recorder)
	transport.MaxConnsPerHost = 1
	defer transport.CloseIdleConnections()
	line := &line{round: r, transport: transport, recorder: &recorder}
	steps := []struct {
		shot shot
		want *refusal // nil: it must be let in
	}{
		{shot: shot{}.bearing(good)},
		{shot{}, ptr(unauthorized(reasonMissingToken))},
		{shot: shot{}.bearing(good)},
		{shot{}.bearing(r.noJWT()), ptr(unauthorized(reasonMalformed))},
	}
	var out finding
	for _, step := range steps {
		out = line.ask(ctx, step.shot, step.want)
		if out.outcome != Passed {
			return out
		}
		if recorder.evidence().dials > 1 {
			return skipped(severed)
		}
	}
	return out
}

func ptr[T any](value T) *T { return &value }

// line is a connection that is kept.
type line struct {
	round     *round
	transport *http.Transport
	recorder  *recorder
}

func (l *line) ask(ctx context.Context, s shot, want *refusal) finding {
	ready, err := l.round.build(ctx, s)
	if err != nil {
		return finding{outcome: NotTried, answer: unsent(err)}
	}
	l.recorder.note(func(e *evidence) { *e = evidence{connected: e.connected, dials: e.dials} })
	out := finding{step: ready.step, id: ready.id, method: s.httpMethod()}
	out.answer = l.round.exchange(l.transport.RoundTrip, l.recorder, ready.request, func(response *http.Response) ([]byte, bool) {
		body, complete := readBody(response, ready.id)
		finish(response.Body)
		return body, complete
	})
	if want != nil {
		out.outcome = want.judge(out.answer, out.id, l.round.target.Exact, s.sent())
	} else {
		out.outcome, _ = judgeControl(out.answer, out.id)
		out.outcome = asPrecondition(out.outcome, out.answer.status)
	}
	l.round.closeIfOpened(ctx, s, out)
	return out
}

// asPrecondition is what the answer to a good token means within a case: that the case could not be put, unless the
// token was refused, or the gate gave no answer at all.
func asPrecondition(outcome Outcome, status int) Outcome {
	switch outcome {
	case Passed, Rejected:
		return outcome
	case Reset, ClosedWithoutAnswer:
		if status == 0 {
			return outcome
		}
	default:
	}
	return NotTried
}
