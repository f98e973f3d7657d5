package client

import (
	"context"
	"net/http"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/expect"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/wire"
)

// Send sends the request on a connection of its own.
func (c *Client) Send(ctx context.Context, s Request) Exchange {
	ready, err := c.Build(ctx, s)
	if err != nil {
		return Exchange{Outcome: probe.NotTried, Answer: wire.Unsent(err)}
	}
	return Exchange{Answer: ready.Send(ready.Request, ready.ID), Step: ready.Step, ID: ready.ID, Method: s.HTTPMethod()}
}

// SendBad fires a request that must be refused, and closes the session of one that was not.
func (c *Client) SendBad(ctx context.Context, s Request, want expect.Refusal) Exchange {
	want.Bodyless = s.HTTPMethod() == http.MethodHead
	out := c.Send(ctx, s)
	if out.Outcome == probe.NotTried {
		return out
	}
	out.Outcome = want.Judge(out.Answer, out.ID, c.Target.Exact, s.Sent())
	c.CloseIfOpened(ctx, s, out)
	return out
}

// CloseIfOpened ends the session that a bad request opened.
func (c *Client) CloseIfOpened(ctx context.Context, s Request, out Exchange) {
	if session := out.session(); session != "" && session != s.Session {
		c.closeSession(ctx, Request{Authorization: s.Authorization[:min(1, len(s.Authorization))]}, session)
	}
}

// closeSession ends a session that a request opened, with the token that opened it, or else with the positive control's, so
// that probing leaves nothing behind. It is given time of its own: the case may have used up its share. A server that ends no
// sessions says 405, which the report tells.
func (c *Client) closeSession(ctx context.Context, opener Request, session string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.Target.Timeout)
	defer cancel()
	end := Request{Method: http.MethodDelete, Authorization: opener.Authorization, Session: session}
	ended := c.Send(ctx, end)
	if wire.IsRefusal(ended.Answer.Status) {
		ended = c.Send(ctx, end.Bearing(c.Bearer))
	}
	noteEnd(&c.Sessions, ended.Answer)
}

// post sends a call with the bearer and reads the answer until ctx ends.
func (c *Client) post(ctx context.Context, bearer string, message Message) Exchange {
	return c.Send(ctx, Request{Message: &message}.Bearing(bearer))
}

// noteEnd notes what came of the wish to end a session. What a gate says by itself is no answer of the server; one that does
// not know the session has ended it.
func noteEnd(s *probe.Sessions, a wire.Answer) {
	switch {
	case wire.IsSuccess(a.Status):
		s.Refusal = probe.EndRefused{}
	case a.Status != 0 && a.Status != http.StatusNotFound && a.Reason() == "":
		s.Refusal = probe.EndRefused{Status: a.Status}
	}
}
