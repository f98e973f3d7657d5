package probe

import (
	"context"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"net/http"
	"strings"
)

// MCP revisions that the prober speaks: the newest with a handshake, and the newest without.
const (
	handshakeVersion = "2025-11-25"
	statelessVersion = "2026-07-28"
)

// Header names of the MCP transport, as net/http spells them.
const (
	sessionHeader = "Mcp-Session-Id"
	versionHeader = "Mcp-Protocol-Version"
	methodHeader  = "Mcp-Method"
	nameHeader    = "Mcp-Name"
)

// disguise is how a round presents itself: as one of the clients that servers meet anyway. All requests of a round look
// alike, so that a bad one differs from the control in its token only.
type disguise struct {
	userAgent     string
	name, version string
}

var disguises = []disguise{
	{userAgent: "node", name: "mcp-client", version: "1.0.0"},
	{userAgent: "node", name: "example-client", version: "1.0.0"},
	{userAgent: "node", name: "mcp-client-cli", version: "1.0.0"},
	{userAgent: "python-httpx/0.28.1", name: "mcp", version: "0.1.0"},
	{userAgent: "python-httpx/0.27.2", name: "mcp", version: "0.1.0"},
	{userAgent: "Go-http-client/1.1", name: "mcp-client", version: "v1.0.0"},
}

// disguiseOf is that of the rounds of a seed.
func disguiseOf(seed uint64) disguise {
	return disguises[rand.New(rand.NewPCG(seed, 0)).IntN(len(disguises))] //nolint:gosec // to be repeated, not to be unguessable
}

// dialect is the way in which a server wants to be opened.
type dialect struct {
	// stateless: no handshake, no session; every request carries its protocol version (MCP revision 2026-07-28).
	stateless bool
	// version and session are what the handshake agreed on.
	version, session string
}

// call is one JSON-RPC message to send; id 0 makes it a notification.
type call struct {
	method string
	params map[string]any
	id     int64
}

// opening is the first request of a client in the dialect.
func (r *round) opening() call {
	if r.dialect.stateless {
		return call{method: "server/discover", params: map[string]any{}, id: r.id()}
	}
	return call{method: "initialize", id: r.id(), params: map[string]any{
		"protocolVersion": handshakeVersion,
		"capabilities":    map[string]any{},
		"clientInfo":      r.clientInfo(),
	}}
}

func (r *round) clientInfo() map[string]any {
	return map[string]any{"name": r.disguise.name, "version": r.disguise.version}
}

// id draws a request id; no number is special.
func (r *round) id() int64 { return r.draw.Int64N(1<<31-1) + 1 }

// body writes the call as JSON-RPC 2.0. Stateless requests carry their version and client in "_meta". Padding, in a
// member that any request may have, makes it at least so many bytes long.
func (r *round) body(c call, padding int64) ([]byte, error) {
	about := map[string]any{}
	if r.dialect.stateless {
		about["io.modelcontextprotocol/protocolVersion"] = statelessVersion
		about["io.modelcontextprotocol/clientInfo"] = r.clientInfo()
		about["io.modelcontextprotocol/clientCapabilities"] = map[string]any{}
	}
	if padding > 0 {
		about["progressToken"] = strings.Repeat("x", int(padding))
	}
	if len(about) > 0 {
		params := map[string]any{"_meta": about}
		maps.Copy(params, c.params)
		c.params = params
	}
	return json.Marshal(struct {
		Version string         `json:"jsonrpc"`
		ID      int64          `json:"id,omitempty"`
		Method  string         `json:"method"`
		Params  map[string]any `json:"params,omitempty"`
	}{"2.0", c.id, c.method, c.params})
}

// post sends a call with the bearer and reads the answer until ctx ends.
func (r *round) post(ctx context.Context, bearer string, c call) finding {
	return r.fire(ctx, shot{call: &c}.bearing(bearer))
}

// closeSession ends a session that a request opened, with the token that opened it, or else with the control's, so that
// probing leaves nothing behind. It is given time of its own: the case may have used up its share. A server that has no
// such method says 405.
func (r *round) closeSession(ctx context.Context, opener shot, session string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.target.Timeout)
	defer cancel()
	end := shot{method: http.MethodDelete, authorization: opener.authorization, session: session}
	if ended := r.fire(ctx, end); isRefusal(ended.answer.status) {
		r.fire(ctx, end.bearing(r.issuers[0].control))
	}
}
