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

// foreignSessions tries the session of each issuer's positive control that has another caller.
func foreignSessions(t probe.Target, issuers []*plan.Issuer) []plan.TestCase {
	var all []plan.TestCase
	for _, from := range issuers {
		if !t.Policy.SessionBinding {
			continue
		}
		q := plan.TestCase{
			Case: probe.ForeignSession, Issuer: from, Method: http.MethodPost, AfterControl: true,
			Expected: "404 for another caller and 401 for nobody",
			Prepare: func(now time.Time) (plan.Attempt, error) {
				owner, err := from.Mint(now)
				if err != nil || !from.Signs() {
					return nil, err
				}
				other, err := from.Tokens.With(from.OtherCaller).Good(now)
				return func(ctx context.Context, c *client.Client) client.Exchange {
					return foreignSession(ctx, c, from, owner, other)
				}, err
			},
		}
		switch {
		case len(from.OtherCaller) == 0:
			q.Lacks = "there is no other caller to play"
		case !from.Signs():
			q.Lacks = plan.LacksKey
		}
		all = append(all, q)
	}
	return all
}

// foreignSession lists the tools in a session of its owner as somebody else and as nobody.
func foreignSession(ctx context.Context, c *client.Client, from *plan.Issuer, owner, other string) client.Exchange {
	opened := c.Open(ctx, from.Name, owner)
	if opened.Outcome != probe.Passed {
		opened.Outcome = expect.Precondition(opened.Outcome, opened.Answer.Status)
		return opened
	}
	kept := c.Sessions.Of(from.Name)
	if kept == nil {
		return client.Skipped("the server opens no sessions")
	}
	session := kept.ID
	list := func() *client.Message { return &client.Message{Method: probe.MethodListTools, ID: c.ID()} }
	out := c.SendBad(ctx, client.Request{Message: list(), Session: session}.Bearing(other), expect.Refused(http.StatusNotFound, "unknown_session"))
	if out.Outcome != probe.Passed {
		return out
	}
	return c.SendBad(ctx, client.Request{Message: list(), Session: session}, expect.Unauthorized(probe.ReasonMissingToken))
}

// byDelete asks to end a session of the positive control. Whatever the gate answers, it has shown the server what it refuses if
// the session ends.
func byDelete(p *plan.Planner, from *plan.Issuer) plan.TestCase {
	want := expect.Unauthorized(probe.ReasonSignature)
	q := plan.OneRequest(p.Target, probe.ByDelete, from, want, nil)
	q.Method, q.Expected = http.MethodDelete, q.Expected+", and that the session lives on"
	q.Prepare = func(now time.Time) (plan.Attempt, error) {
		owner, err := p.ControlAt(from, now)
		if err != nil {
			return nil, err
		}
		bad, err := p.Forge(owner)
		return func(ctx context.Context, c *client.Client) client.Exchange {
			return endSession(ctx, c, from, owner, bad, want)
		}, err
	}
	return q
}

// endSession tries to end the session of its owner with a bad token, where the server has any. It was seen to be open just
// before.
func endSession(ctx context.Context, c *client.Client, from *plan.Issuer, owner, bad string, want expect.Refusal) client.Exchange {
	c.Open(ctx, from.Name, owner)
	kept := c.Sessions.Of(from.Name)
	if kept == nil {
		return c.SendBad(ctx, client.Request{Method: http.MethodDelete}.Bearing(bad), want)
	}
	out := c.SendBad(ctx, client.Request{Method: http.MethodDelete, Session: kept.ID}.Bearing(bad), want)
	if out.Outcome != probe.Passed {
		return out
	}
	after := c.Send(ctx, client.Request{Message: &client.Message{Method: probe.MethodListTools, ID: c.ID()}, Session: kept.ID}.Bearing(owner))
	if after.Answer.Status == http.StatusNotFound && after.Answer.Reason() == "" {
		c.Sessions.Take(from.Name)
		after.Outcome = probe.Accepted
		return after
	}
	return out
}

func oneConnection(from *plan.Issuer) plan.TestCase {
	return plan.TestCase{
		Case: probe.OneConnection, Issuer: from, Method: http.MethodPost, AfterControl: true,
		Expected: "200, 401, 200, 401 on one connection",
		Prepare: func(now time.Time) (plan.Attempt, error) {
			good, err := from.Mint(now)
			return func(ctx context.Context, c *client.Client) client.Exchange {
				return askOneConnection(ctx, c, from, good)
			}, err
		},
	}
}

// askOneConnection sends a good, no, a good and a malformed token over one connection.
func askOneConnection(ctx context.Context, c *client.Client, from *plan.Issuer, good string) client.Exchange {
	kept := c.Sender.Keep()
	defer kept.Close()
	steps := []struct {
		shot client.Request
		want *expect.Refusal // nil: it must be let in
	}{
		{shot: c.GoodRequest(from.Name, good)},
		{client.Request{}, new(expect.Unauthorized(probe.ReasonMissingToken))},
		{shot: c.GoodRequest(from.Name, good)},
		{client.Request{}.Bearing(plan.NoJWT(c.Seed)), new(expect.Unauthorized(probe.ReasonMalformed))},
	}
	var out client.Exchange
	for _, step := range steps {
		out = c.SendOn(ctx, kept, step.shot, step.want)
		if out.Outcome != probe.Passed {
			return out
		}
		if kept.Severed() {
			return client.Skipped(client.Severed)
		}
	}
	return out
}
