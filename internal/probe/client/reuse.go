package client

import (
	"context"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/expect"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/wire"
)

// SendOn asks on a connection that is kept. want is nil where it must be let in.
func (c *Client) SendOn(ctx context.Context, kept *wire.Connection, s Request, want *expect.Refusal) Exchange {
	ready, err := c.Build(ctx, s)
	if err != nil {
		return Exchange{Outcome: probe.NotTried, Answer: wire.Unsent(err)}
	}
	out := Exchange{Answer: kept.Send(ready.Request, ready.ID), Step: ready.Step, ID: ready.ID, Method: s.HTTPMethod()}
	if want != nil {
		out.Outcome = want.Judge(out.Answer, out.ID, c.Target.Exact, s.Sent())
	} else {
		out.Outcome, _ = expect.Positive(out.Answer, out.ID)
		out.Outcome = expect.Precondition(out.Outcome, out.Answer.Status)
	}
	c.CloseIfOpened(ctx, s, out)
	return out
}

// GoodRequest is a request of the positive control that opens no further session: the list of tools in the session that is
// open, where there is one and the server has any.
func (c *Client) GoodRequest(provider string, good string) Request {
	kept := c.Sessions.Of(provider)
	if kept == nil || !kept.Lists {
		return Request{}.Bearing(good)
	}
	s := Request{Message: &Message{Method: probe.MethodListTools, Params: map[string]any{}, ID: c.ID()}, Session: kept.ID}.Bearing(good)
	if kept.Version != "" {
		s.With(VersionHeader, kept.Version)
	}
	return s
}

// Severed reports whether the peer closed the connection between two answers, as it may.
const Severed = "the connection was closed between two requests"
