package probe

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
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
)

// disguise is how a round presents itself: as one of the clients that servers meet anyway. All requests of a round look
// alike, so that a bad one differs from the control in its token only.
type disguise struct {
	userAgent     string
	name, version string
}

var disguises = []disguise{
	{userAgent: "node", name: "mcp-client", version: "1.0.0"},
	{userAgent: "python-httpx/0.28.1", name: "mcp", version: "0.1.0"},
	{userAgent: "Go-http-client/1.1", name: "mcp-client", version: "v1.0.0"},
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
func (r *round) id() int64 { return int64(r.prober.random()%(1<<31-1)) + 1 }

// body writes the call as JSON-RPC 2.0. Stateless requests carry their version and client in "_meta".
func (r *round) body(c call) ([]byte, error) {
	if r.dialect.stateless {
		c.params["_meta"] = map[string]any{
			"io.modelcontextprotocol/protocolVersion":    statelessVersion,
			"io.modelcontextprotocol/clientInfo":         r.clientInfo(),
			"io.modelcontextprotocol/clientCapabilities": map[string]any{},
		}
	}
	return json.Marshal(struct {
		Version string         `json:"jsonrpc"`
		ID      int64          `json:"id,omitempty"`
		Method  string         `json:"method"`
		Params  map[string]any `json:"params,omitempty"`
	}{"2.0", c.id, c.method, c.params})
}

// post sends a call with the bearer, if any, and reads the answer until ctx ends.
func (r *round) post(ctx context.Context, bearer string, c call) answer {
	body, err := r.body(c)
	if err != nil {
		return unsent(err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.target.URL, bytes.NewReader(body))
	if err != nil {
		return unsent(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json, text/event-stream")
	if r.dialect.stateless {
		request.Header.Set(methodHeader, c.method)
	}
	r.dress(request, bearer)
	return r.send(request, strconv.FormatInt(c.id, 10))
}

// closeSession ends a session that a request opened, with the bearer that opened it, so that probing leaves nothing
// behind. It is given time of its own: the case may have used up its share. A server that has no such method says 405.
func (r *round) closeSession(ctx context.Context, bearer, session string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.target.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodDelete, r.target.URL, http.NoBody)
	if err != nil {
		return
	}
	r.dress(request, bearer)
	request.Header.Set(sessionHeader, session)
	r.send(request, "")
}

// dress sets the headers that all requests of a round have in common.
func (r *round) dress(request *http.Request, bearer string) {
	request.Header.Set("User-Agent", r.disguise.userAgent)
	if bearer != "" {
		request.Header.Set("Authorization", "Bearer "+bearer)
	}
	if r.dialect.session != "" {
		request.Header.Set(sessionHeader, r.dialect.session)
	}
	if r.dialect.version != "" {
		request.Header.Set(versionHeader, r.dialect.version)
	}
}
