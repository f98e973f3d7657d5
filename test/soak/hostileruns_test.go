//go:build soak

package soak

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/test/pod"
)

// giveUp is when a victim that is still in is no longer waited for.
const giveUp = time.Minute

// runsOf is how many victims there are: fewer where SOAK_SECONDS is short, one for every three seconds.
func runsOf() int {
	if *duration == 0 {
		return usualRuns
	}
	return min(usualRuns, max(1, int(duration.Seconds())/3))
}

// revoke lets one victim after another in, has a change of files keep it out, and measures how long the victim's open stream
// and its requests go on after that.
func (h *hostility) revoke(t *testing.T, apply func(victim string), undo func()) (cuts, refusals []time.Duration) {
	t.Helper()
	for i := range runsOf() {
		q := question{sub: fmt.Sprintf("victim-%d-%d", len(h.streams), i)}
		q.bearer = mint(t, h.victims, q.sub)
		h.until(t, q, accepted, time.Now())
		s, err := listen(t.Context(), newCaller("http", h.gate.Config.Port, false), q)
		must(t, err)
		written := time.Now()
		apply(q.sub)
		refusals = append(refusals, h.until(t, q, "401", written))
		select {
		case <-s.over:
		case <-time.After(giveUp):
			t.Errorf("the stream of %s is open %s after the change", q.sub, time.Since(written))
			s.stop()
			<-s.over
		}
		cuts = append(cuts, s.ended.Sub(written))
		if s.problem != "" {
			t.Errorf("the stream of %s: %s", q.sub, s.problem)
		}
		undo()
	}
	return cuts, refusals
}

// until asks until the answer begins so, and returns how long after a moment that was.
func (h *hostility) until(t *testing.T, q question, verdict string, since time.Time) time.Duration {
	t.Helper()
	client := newCaller("http", h.gate.Config.Port, true)
	defer client.close()
	got, end := "nothing", time.Now().Add(giveUp)
	for ; time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(t.Context(), pod.Patience)
		answer, err := client.post(ctx, q.bearer, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
		cancel()
		if got = answer.verdict; err != nil {
			got = broken(err)
		}
		if strings.HasPrefix(got, verdict) {
			return time.Since(since)
		}
	}
	t.Errorf("%s gets %s, not %s, within %s", q.sub, got, verdict, giveUp)
	return time.Since(since)
}
