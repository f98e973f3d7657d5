package client

import (
	"context"
	"net/http"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/expect"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/wire"
)

// keep keeps a session that the positive control of an issuer has opened.
func (c *Client) keep(provider string, session string, agreed initResult) *probe.Session {
	c.Sessions.Take(provider)
	c.Sessions.Open = append(c.Sessions.Open, probe.Session{
		Provider: provider, ID: session, Version: agreed.ProtocolVersion, By: probe.MethodPing,
		Lists: agreed.Capabilities.Tools != nil && !c.Target.Policy.Forbids(probe.MethodListTools),
	})
	return c.Sessions.Of(provider)
}

// inSession has the requests of do made in a session.
func (c *Client) inSession(kept *probe.Session, do func() Exchange) Exchange {
	defer c.leave(c.protocol)
	c.protocol.session, c.protocol.version = kept.ID, kept.Version
	return do()
}

// use asks in the session of an issuer's positive control, if there is one. decided: what came of it is the positive control's
// answer. Else there is none, or no more, and another is to be opened: sessions end when their server is restarted or has not
// heard of them for long, and by each server's own rules about tokens.
func (c *Client) use(ctx context.Context, provider string, bearer string) (out Exchange, decided bool) {
	kept := c.Sessions.Of(provider)
	if kept == nil || c.protocol.stateless {
		return Exchange{}, false
	}
	out = c.askIn(ctx, kept, bearer)
	switch unknown := isUnknownMethod(out); {
	case unknown && kept.By == probe.MethodPing && kept.Lists:
		c.Extra++
		kept.By = probe.MethodListTools
		out = c.askIn(ctx, kept, bearer)
	case unknown && wire.IsSuccess(out.Answer.Status) && out.Answer.Reason() == "":
		out.Outcome = probe.Passed // the server has got it, which who is refused cannot bring about
	}
	switch {
	case out.Outcome == probe.Passed, out.Outcome == probe.Throttled:
		return out, true
	case out.Answer.Outcome() != probe.Passed, out.Outcome == probe.Unavailable:
		// No answer, or none of the server: that is no matter of the session. It may be gone with its server all the same.
		c.Sessions.Take(provider)
		return out, true
	}
	c.Extra++
	if gone, _ := c.Sessions.Take(provider); out.Answer.Status != http.StatusNotFound {
		c.Extra++
		c.End(ctx, &gone, bearer)
	}
	return out, false
}

func (c *Client) askIn(ctx context.Context, kept *probe.Session, bearer string) Exchange {
	return c.inSession(kept, func() Exchange {
		if !kept.Initialized {
			kept.Initialized = true
			c.tellInitialized(ctx, bearer) // what the server makes of it shows in what follows
		}
		out := c.post(ctx, bearer, Message{Method: kept.By, Params: map[string]any{}, ID: c.ID()})
		out.Outcome, _ = expect.Positive(out.Answer, out.ID)
		return out
	})
}

// isUnknownMethod reports whether a server that has got a message does not know its method.
func isUnknownMethod(f Exchange) bool {
	response, ok := wire.ParseResponse(f.Answer.Body, f.ID)
	return ok && response.Error != nil && response.Error.Code == codeMethodNotFound
}

// codeMethodNotFound is JSON-RPC's.
const codeMethodNotFound = -32601

// End ends a session as its client.
func (c *Client) End(ctx context.Context, last *probe.Session, bearer string) {
	defer c.leave(c.protocol)
	c.protocol.version = last.Version
	c.closeSession(ctx, Request{}.Bearing(bearer), last.ID)
}
