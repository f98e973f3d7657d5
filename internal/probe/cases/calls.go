package cases

import (
	"context"
	"net/http"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/client"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/expect"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/plan"
)

// forbiddenCalls do no harm should the gate be open: they come outside of any session and without arguments.
func forbiddenCalls(t probe.Target, from *plan.Issuer) []plan.TestCase {
	var all []plan.TestCase
	for _, forbidden := range t.Policy.Forbidden {
		want := expect.Refused(http.StatusForbidden, "forbidden")
		if len(forbidden.Scopes) > 0 {
			want = expect.LackingScopes(forbidden.Scopes)
		}
		q := plan.OneRequest(t, probe.ForbiddenCall, from, want, nil)
		q.Variation = t.Policy.Label(forbidden.Method, forbidden.Name)
		q.Prepare = func(now time.Time) (plan.Attempt, error) {
			good, err := from.Mint(now)
			return func(ctx context.Context, c *client.Client) client.Exchange {
				return c.SendBad(ctx, client.Request{Message: client.MessageOf(forbidden, c.ID())}.Bearing(good), want)
			}, err
		}
		all = append(all, q)
	}
	return all
}

// reservedCalls are what rules let the positive control have, and its subject does not: a notification that nobody knows, which
// rules do not forbid anybody, and the calls that are known to be allowed. They come outside of any session and without
// arguments.
func reservedCalls(p *plan.Planner, from *plan.Issuer) []plan.TestCase {
	if !p.Target.Policy.ProbeRestricted || !isReserved(from) {
		return nil
	}
	unknown := probe.Call{Method: "notifications/" + p.Target.Policy.Absent}
	want := expect.Refused(http.StatusForbidden, probe.ReasonReserved)
	var all []plan.TestCase
	for _, wanted := range append([]probe.Call{unknown}, p.Target.Policy.Allowed...) {
		q := plan.OneRequest(p.Target, probe.ReservedCall, from, want, nil)
		q.Variation = p.Target.Policy.Label(wanted.Method, wanted.Name)
		q.Prepare = func(now time.Time) (plan.Attempt, error) {
			good, err := p.ControlAt(from, now)
			return func(ctx context.Context, c *client.Client) client.Exchange {
				return c.SendBad(ctx, client.Request{Message: client.MessageOf(wanted, c.ID())}.Bearing(good), want)
			}, err
		}
		all = append(all, q)
	}
	return all
}

// isReserved reports whether the positive control goes by a subject that is reserved.
func isReserved(i *plan.Issuer) bool {
	subject := i.Tokens.Subject
	if claim, replaced := i.Tokens.Claims["sub"]; replaced {
		subject, _ = claim.(string)
	}
	return i.Signs() && (subject == probe.Subject || subject == probe.OtherSubject)
}
