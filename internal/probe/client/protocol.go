package client

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/rand/v2"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// MCP revisions that the prober speaks: the newest with a handshake, and the newest without.
const (
	handshakeVersion = "2025-11-25"
	StatelessVersion = "2026-07-28"
)

// Header names of the MCP transport, as net/http spells them.
const (
	sessionHeader = "Mcp-Session-Id"
	VersionHeader = "Mcp-Protocol-Version"
	MethodHeader  = "Mcp-Method"
	nameHeader    = "Mcp-Name"
)

// Protocol is the way in which a server wants to be opened.
type Protocol struct {
	// stateless: no handshake, no session; every request carries its protocol version (MCP revision 2026-07-28).
	stateless bool
	// version and session are what the handshake agreed on.
	version, session string
}

// Message is one JSON-RPC message to send; id 0 makes it a notification.
type Message struct {
	Method string
	Params map[string]any
	ID     int64
}

// MessageOf is the call as it would be made, but for its arguments.
func MessageOf(c probe.Call, id int64) *Message {
	return &Message{Method: c.Method, Params: c.Params(), ID: id}
}

// opening is the first request of a client in the protocol version.
func (c *Client) opening() Message {
	if c.protocol.stateless {
		return Message{Method: "server/discover", Params: map[string]any{}, ID: c.ID()}
	}
	return Message{Method: "initialize", ID: c.ID(), Params: map[string]any{
		"protocolVersion": handshakeVersion,
		"capabilities":    map[string]any{},
		"clientInfo":      c.clientInfo(),
	}}
}

func (c *Client) clientInfo() map[string]any {
	return map[string]any{"name": c.Profile.name, "version": c.Profile.version}
}

// body writes the call as JSON-RPC 2.0. Stateless requests carry their version and client in "_meta". Padding, in a
// member that any request may have, makes it at least so many bytes long.
func (c *Client) body(message Message, padding int64) ([]byte, error) {
	about := map[string]any{}
	if c.protocol.stateless {
		about["io.modelcontextprotocol/protocolVersion"] = StatelessVersion
		about["io.modelcontextprotocol/clientInfo"] = c.clientInfo()
		about["io.modelcontextprotocol/clientCapabilities"] = map[string]any{}
	}
	if padding > 0 {
		about["progressToken"] = padded
	}
	if len(about) > 0 {
		params := map[string]any{"_meta": about}
		maps.Copy(params, message.Params)
		message.Params = params
	}
	data, err := json.Marshal(struct {
		Version string         `json:"jsonrpc"`
		ID      int64          `json:"id,omitempty"`
		Method  string         `json:"method"`
		Params  map[string]any `json:"params,omitempty"`
	}{"2.0", message.ID, message.Method, message.Params})
	if err != nil || padding == 0 {
		return data, err
	}
	return bytes.Replace(data, []byte(padded), bytes.Repeat([]byte("x"), int(padding)), 1), nil
}

// padded stands for the padding while a message is encoded: to encode megabytes is most of what a check costs.
const padded = "the padding of the message"

// ID draws one for a request.
func (c *Client) ID() int64 { return DrawID(c.draw) }

// DrawID draws a request id; no number is special.
func DrawID(draw *rand.Rand) int64 { return draw.Int64N(1<<31-1) + 1 }
