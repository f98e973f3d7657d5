package cases

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/client"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/expect"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/plan"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/wire"
)

// healthAnswers are all that a gate tells anybody of its health, by the status of the answer.
var healthAnswers = map[int]string{
	http.StatusOK:                 `{"status":"ok"}`,
	http.StatusServiceUnavailable: `{"status":"unavailable"}`,
}

// health asks a health path as a load balancer does, and then by POST, which is none of its business.
func health(path string) plan.TestCase {
	return plan.TestCase{
		Case: probe.Health, Method: http.MethodGet, Variation: path,
		Expected: "the gate's own word about its health, and 401 to a POST",
		Prepare: func(time.Time) (plan.Attempt, error) {
			return func(ctx context.Context, c *client.Client) client.Exchange {
				out := c.Send(ctx, client.Request{Method: http.MethodGet, Path: path})
				if out.Outcome == probe.NotTried {
					return out
				}
				if out.Outcome = judgeHealth(out.Answer); out.Outcome != probe.Passed {
					return out
				}
				return c.SendBad(ctx, client.Request{Path: path, Message: &client.Message{Method: probe.MethodListTools, ID: c.ID()}}, expect.Unauthorized(probe.ReasonMissingToken))
			}, nil
		},
	}
}

// judgeHealth wants the answer of the gate, whatever its health is, and nothing of the server.
func judgeHealth(a wire.Answer) probe.Outcome {
	want, known := healthAnswers[a.Status]
	switch outcome := a.Outcome(); {
	case outcome != probe.Passed:
		return outcome
	case a.Status == http.StatusTooManyRequests:
		return probe.Throttled
	case !known:
		return probe.WrongStatus
	case a.MediaType() != "application/json" || strings.TrimSpace(string(a.Body)) != want:
		return probe.ForeignAnswer
	default:
		return probe.Passed
	}
}
