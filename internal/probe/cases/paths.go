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

// extraPathsPerRound are asked of all, in turn.
const extraPathsPerRound = 2

// pathCases are about what a gate serves beside its path, and how.
func pathCases(p *plan.Planner, good func(probe.Case, expect.Refusal, client.Request) plan.TestCase) []plan.TestCase {
	var all []plan.TestCase
	policy := p.Target.Policy
	for _, path := range plan.InTurn(p, policy.ExtraPaths, extraPathsPerRound) {
		s := client.Request{Method: http.MethodGet, Path: path}
		q := plan.OneRequest(p.Target, probe.ExtraPath, nil, expect.Unauthorized(probe.ReasonMissingToken), func(time.Time) (client.Request, error) { return s, nil })
		q.Method, q.Variation = s.Method, s.Path
		all = append(all, q)
	}
	if path := p.Target.Path(); policy.Slash == probe.SlashDistinct && !strings.HasSuffix(path, "/") {
		all = append(all, good(probe.TrailingSlash, expect.Refused(http.StatusNotFound, "unknown_path"), client.Request{Path: path + "/"}))
	}
	if strings.HasPrefix(p.Target.URL, "https:") {
		all = append(all, plainHTTP())
	}
	if policy.Metadata != nil {
		all = append(all, metadata(p.Target))
	}
	for _, path := range plan.InTurn(p, policy.HealthPaths, 1) {
		all = append(all, health(path))
	}
	return all
}

// plainHTTP speaks to a gate without the TLS that it serves. The answer of a TLS server to that is a bare 400, or none.
func plainHTTP() plan.TestCase {
	return plan.TestCase{
		Case: probe.PlainHTTP, Method: http.MethodPost, Expected: "400 without a reason, or no HTTP",
		Prepare: func(time.Time) (plan.Attempt, error) {
			return func(ctx context.Context, c *client.Client) client.Exchange {
				ready, err := c.Build(ctx, client.Request{})
				if err != nil {
					return client.Exchange{Outcome: probe.NotTried, Answer: wire.Unsent(err)}
				}
				ready.Request.URL.Scheme = "http"
				out := client.Exchange{Answer: c.Sender.Send(ready.Request, ready.ID), Step: ready.Step, ID: ready.ID, Method: http.MethodPost}
				out.Outcome = judgePlain(out.Answer)
				return out
			}, nil
		},
	}
}

// judgePlain wants nothing that speaks HTTP to have judged the request.
func judgePlain(a wire.Answer) probe.Outcome {
	switch outcome := a.Outcome(); {
	case wire.IsSuccess(a.Status):
		return probe.Accepted
	case outcome == probe.Reset || outcome == probe.ClosedWithoutAnswer || outcome == probe.NotHTTP || outcome == probe.TLS:
		return probe.Passed
	case outcome != probe.Passed:
		return outcome
	case a.Status == http.StatusBadRequest && a.Reason() == "":
		return probe.Passed
	default:
		return probe.WrongStatus
	}
}
