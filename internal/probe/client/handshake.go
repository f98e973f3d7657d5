package client

import (
	"context"
	"encoding/json"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/expect"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/wire"
)

// Handshake is the positive control in full: it opens the server as a client would, finds out which protocol version it speaks,
// and lists its tools. The session that is opened takes the place of an earlier one, but where the server ends none: there the
// earlier one goes on to be used.
func (c *Client) Handshake(ctx context.Context, provider string, bearer string) Exchange {
	if c.Sessions.Refusal.Status != 0 {
		if out, decided := c.goOn(ctx, provider, bearer); decided {
			return out
		}
	}
	out, opened := c.openAny(ctx, bearer)
	if out.Outcome != probe.Passed {
		if session := out.session(); session != "" {
			c.closeSession(ctx, Request{}.Bearing(bearer), session)
		}
		return out
	}
	earlier, found := c.Sessions.Take(provider)
	defer c.leave(c.protocol)
	c.enter(out.Answer, opened)
	var kept *probe.Session
	if session := out.session(); session != "" {
		kept = c.keep(provider, session, opened)
	}
	if found {
		c.End(ctx, &earlier, bearer)
	}
	if !c.protocol.stateless {
		if told := c.tellInitialized(ctx, bearer); told.Outcome != probe.Passed {
			return told
		}
	}
	c.Server = opened.info(c.secrets)
	if opened.Capabilities.Tools != nil && !c.Target.Policy.Forbids(probe.MethodListTools) {
		out = c.listTools(ctx, bearer)
	}
	if kept != nil {
		kept.Initialized, kept.Server, kept.Tools = true, c.Server, c.Tools
	}
	return out
}

// goOn is the handshake in a session that is open.
func (c *Client) goOn(ctx context.Context, provider string, bearer string) (out Exchange, decided bool) {
	kept := c.Sessions.Of(provider)
	if kept == nil || kept.Server == nil {
		return Exchange{}, false
	}
	if out, decided = c.use(ctx, provider, bearer); !decided || out.Outcome != probe.Passed {
		return out, decided
	}
	info := *kept.Server
	c.Server, c.Tools = &info, kept.Tools
	if !kept.Lists {
		return out, true
	}
	return c.inSession(kept, func() Exchange { return c.listTools(ctx, bearer) }), true
}

func (c *Client) tellInitialized(ctx context.Context, bearer string) Exchange {
	told := c.post(ctx, bearer, Message{Method: "notifications/initialized"})
	told.Outcome = expect.Notification(told.Answer)
	return told
}

// Open is the positive control in short: a request in the session that is open, or else the opening request, in the protocol
// version found or the one that the server wants.
func (c *Client) Open(ctx context.Context, provider string, bearer string) Exchange {
	if out, decided := c.use(ctx, provider, bearer); decided {
		return out
	}
	out, opened := c.openAny(ctx, bearer)
	session := out.session()
	switch {
	case session == "":
	case out.Outcome != probe.Passed:
		c.closeSession(ctx, Request{}.Bearing(bearer), session)
	default:
		c.keep(provider, session, opened)
	}
	return out
}

func (c *Client) openOnce(ctx context.Context, bearer string) (Exchange, initResult) {
	out := c.post(ctx, bearer, c.opening())
	outcome, result := expect.Positive(out.Answer, out.ID)
	var body initResult
	if outcome == probe.Passed && json.Unmarshal(result, &body) != nil {
		outcome = probe.NoResult
	}
	out.Outcome = outcome
	return out, body
}

// openAny tries the handshake first, which all servers before 2026-07-28 want, and without it when the answer says
// that this server is a later one.
func (c *Client) openAny(ctx context.Context, bearer string) (Exchange, initResult) {
	out, body := c.openOnce(ctx, bearer)
	response, ok := wire.ParseResponse(out.Answer.Body, out.ID)
	if c.protocol.stateless || !ok || response.Error == nil || !refusesHandshake[response.Error.Code] {
		return out, body
	}
	c.protocol = Protocol{stateless: true, version: StatelessVersion}
	return c.openOnce(ctx, bearer)
}

// refusesHandshake are the JSON-RPC errors by which a server of the stateless revision answers "initialize": method
// not found, header missing, protocol version not supported (MCP 2026-07-28, "Error Codes").
var refusesHandshake = map[int]bool{-32601: true, -32020: true, -32022: true}

// enter keeps what the handshake agreed on, for the requests that follow in the session.
func (c *Client) enter(a wire.Answer, opened initResult) {
	if c.protocol.stateless {
		return
	}
	c.protocol.session = a.Header.Get(sessionHeader)
	c.protocol.version = opened.ProtocolVersion
}

// leave restores the protocol version in which the next case opens anew.
func (c *Client) leave(before Protocol) { c.protocol = before }

func (c *Client) listTools(ctx context.Context, bearer string) Exchange {
	list := Message{Method: probe.MethodListTools, Params: map[string]any{}, ID: c.ID()}
	out := c.post(ctx, bearer, list)
	outcome, result := expect.Positive(out.Answer, out.ID)
	var page struct {
		Tools []probe.Tool `json:"tools"`
	}
	if outcome == probe.Passed && (json.Unmarshal(result, &page) != nil || page.Tools == nil) {
		outcome = probe.NoResult
	}
	c.Server.Tools, c.Tools = len(page.Tools), page.Tools
	out.Outcome = outcome
	return out
}
