package probe

import (
	"context"
	"encoding/json"
	"slices"
)

// ServerInfo is what the MCP server behind the gate tells about itself. All text is the server's own, bounded and
// cleaned.
type ServerInfo struct {
	Name            string `json:"name,omitempty"`
	Version         string `json:"version,omitempty"`
	ProtocolVersion string `json:"protocolVersion,omitempty"`
	// Tools is the number of tools on the first page of tools/list; 0 for a server that offers none.
	Tools int `json:"tools"`
}

// handshake is the control in full: it opens the server as a client would, finds out which dialect it speaks, lists its
// tools, and closes the session if one was opened.
func (r *round) handshake(ctx context.Context, bearer string) finding {
	out, opened := r.openAny(ctx, bearer)
	defer r.leave(r.dialect)
	if session := out.session(); session != "" {
		defer r.closeSession(ctx, shot{}.bearing(bearer), session)
	}
	if out.outcome != Passed {
		return out
	}
	r.enter(out.answer, opened)
	if !r.dialect.stateless {
		initialized := call{method: "notifications/initialized"}
		told := r.post(ctx, bearer, initialized)
		if told.outcome = judgeNotification(told.answer); told.outcome != Passed {
			return told
		}
	}
	r.server = opened.info(r.secrets)
	if opened.Capabilities.Tools == nil || r.target.Policy.forbids("tools/list") {
		return out
	}
	return r.listTools(ctx, bearer)
}

// forbids tells that the control may not send a message of the method that names nothing.
func (p Policy) forbids(method string) bool {
	return slices.ContainsFunc(p.Forbidden, func(c Call) bool { return c.Method == method && c.Name == "" })
}

// open is the control in short: the opening request, in the dialect found or the one that the server wants, and the end
// of the session.
func (r *round) open(ctx context.Context, bearer string) finding {
	out, _ := r.openAny(ctx, bearer)
	if session := out.session(); session != "" {
		r.closeSession(ctx, shot{}.bearing(bearer), session)
	}
	return out
}

func (r *round) openOnce(ctx context.Context, bearer string) (finding, opened) {
	out := r.post(ctx, bearer, r.opening())
	outcome, result := judgeControl(out.answer, out.id)
	var body opened
	if outcome == Passed && json.Unmarshal(result, &body) != nil {
		outcome = NoResult
	}
	out.outcome = outcome
	return out, body
}

// openAny tries the handshake first, which all servers before 2026-07-28 want, and without it when the answer says
// that this server is a later one.
func (r *round) openAny(ctx context.Context, bearer string) (finding, opened) {
	out, body := r.openOnce(ctx, bearer)
	response, ok := parseResponse(out.answer.body, out.id)
	if r.dialect.stateless || !ok || response.Error == nil || !refusesHandshake[response.Error.Code] {
		return out, body
	}
	r.dialect = dialect{stateless: true, version: statelessVersion}
	return r.openOnce(ctx, bearer)
}

// refusesHandshake are the JSON-RPC errors by which a server of the stateless revision answers "initialize": method
// not found, header missing, protocol version not supported (MCP 2026-07-28, "Error Codes").
var refusesHandshake = map[int]bool{-32601: true, -32020: true, -32022: true}

// enter keeps what the handshake agreed on, for the requests that follow in the session.
func (r *round) enter(a answer, opened opened) {
	if r.dialect.stateless {
		return
	}
	r.dialect.session = a.header.Get(sessionHeader)
	r.dialect.version = opened.ProtocolVersion
}

// leave restores the dialect in which the next case opens anew.
func (r *round) leave(before dialect) { r.dialect = before }

func (r *round) listTools(ctx context.Context, bearer string) finding {
	list := call{method: "tools/list", params: map[string]any{}, id: r.id()}
	out := r.post(ctx, bearer, list)
	outcome, result := judgeControl(out.answer, out.id)
	var page struct {
		Tools []tool `json:"tools"`
	}
	if outcome == Passed && (json.Unmarshal(result, &page) != nil || page.Tools == nil) {
		outcome = NoResult
	}
	r.server.Tools, r.tools = len(page.Tools), page.Tools
	out.outcome = outcome
	return out
}

// judgeNotification: any 2xx will do, 202 without a body is the rule (MCP transports, "Sending Messages").
func judgeNotification(a answer) Outcome {
	outcome, _ := judgeControl(a, "")
	if outcome == NoResult {
		return Passed
	}
	return outcome
}

// opened is the result of initialize, and of server/discover.
type opened struct {
	ProtocolVersion   string         `json:"protocolVersion"`
	SupportedVersions []string       `json:"supportedVersions"`
	ServerInfo        implementation `json:"serverInfo"`
	Capabilities      struct {
		Tools json.RawMessage `json:"tools"`
	} `json:"capabilities"`
	Meta struct {
		ServerInfo implementation `json:"io.modelcontextprotocol/serverInfo"`
	} `json:"_meta"`
}

type implementation struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

func (o opened) info(secrets secrets) *ServerInfo {
	server, version := o.ServerInfo, o.ProtocolVersion
	if server.Name == "" {
		server = o.Meta.ServerInfo
	}
	if version == "" && len(o.SupportedVersions) > 0 {
		version = statelessVersion
	}
	return &ServerInfo{
		Name: secrets.clean(server.Name), Version: secrets.clean(server.Version), ProtocolVersion: secrets.clean(version),
	}
}
