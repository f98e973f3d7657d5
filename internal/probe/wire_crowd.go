package probe

import (
	"context"
	"io"
	"sync"
	"time"
)

const (
	// lateRequests come on a connection before the one that matters. They have no token, which no gate counts as a failure.
	lateRequests = 59
	// lateLimits is how many time limits of a case they have in all.
	lateLimits = 6
	// crowd is how many requests are made at a time.
	crowd = 16
)

// late puts the shot as the last of many requests on one connection, of which each must be refused.
func late(ctx context.Context, r *round, s shot, want refusal) finding {
	var recorder recorder
	transport := r.transport(&recorder)
	transport.MaxConnsPerHost = 1
	defer transport.CloseIdleConnections()
	line := &line{round: r, transport: transport, recorder: &recorder}
	ask := func(s shot, want refusal) finding {
		limited, cancel := context.WithTimeout(ctx, r.target.Timeout)
		defer cancel()
		return line.ask(limited, s, &want)
	}
	for range lateRequests {
		out := ask(shot{call: &call{method: "ping", id: r.id()}}, unauthorized(reasonMissingToken))
		switch {
		case ctx.Err() != nil:
			return skipped(tooSlow)
		case out.outcome != Passed:
			return out
		case recorder.evidence().dials > 1:
			return skipped(severed)
		}
	}
	return ask(s, want)
}

// tooSlow says that a gate answers, and not fast enough for so many requests.
const tooSlow = "so many requests took longer than there is time for"

// crowded puts the shot many times at once, each on a connection of its own. The worst answer counts.
func crowded(ctx context.Context, r *round, s shot, want refusal) finding {
	all := make([]fired, crowd)
	for i := range all {
		var err error
		if all[i], err = r.build(ctx, s); err != nil {
			return finding{outcome: NotTried, answer: unsent(err)}
		}
	}
	r.extra += crowd - 1
	answers := make([]answer, crowd)
	var sending sync.WaitGroup
	for i, ready := range all {
		sending.Go(func() { answers[i] = ready.send(ready.request, ready.id) })
	}
	sending.Wait()
	var worst finding
	for i, ready := range all {
		out := finding{answer: answers[i], step: ready.step, id: ready.id, method: s.httpMethod()}
		out.outcome = want.judge(out.answer, out.id, r.target.Exact, s.sent())
		r.closeIfOpened(ctx, s, out)
		if i == 0 || worst.outcome == Passed || out.outcome == Accepted && worst.outcome != Accepted {
			worst = out
		}
	}
	return worst
}

// finish reads what is left of a body, so that the next request can follow on the connection.
func finish(body io.ReadCloser) {
	late := time.AfterFunc(drainPatience, func() { _ = body.Close() })
	defer late.Stop()
	_, _ = io.CopyN(io.Discard, body, maxResultBytes)
}
