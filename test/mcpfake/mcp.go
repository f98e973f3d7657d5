package mcpfake

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
)

const maxBodyBytes = 4 << 20

// JSON-RPC and MCP error codes (JSON-RPC 2.0 section 5.1; MCP 2026-07-28, "Error Codes").
const (
	codeParse              = -32700
	codeInvalidRequest     = -32600
	codeMethodNotFound     = -32601
	codeInvalidParams      = -32602
	codeHeaderMismatch     = -32020
	codeUnsupportedVersion = -32022
)

const (
	sessionHeader = "Mcp-Session-Id"
	versionHeader = "Mcp-Protocol-Version"
	methodHeader  = "Mcp-Method"

	discoverVersion = "2026-07-28"
)

// handshakeVersions are the revisions with a handshake, newest first.
var handshakeVersions = []string{"2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"}

type request struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  string          `json:"method"`
	Params  json.RawMessage `json:"params"`
}

type rpcResponse struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Result  any             `json:"result,omitempty"`
	Error   *rpcError       `json:"error,omitempty"`
}

type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Data    any    `json:"data,omitempty"`
}

var serverInfo = map[string]any{"name": "mcpfake", "version": "1.0.0"}

func (s *Server) serveMCP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodPost:
		s.post(w, r)
	case r.Method == http.MethodGet && s.options.Dialect != Discover:
		s.stream(w, r)
	case r.Method == http.MethodDelete && s.options.Dialect == Stateful:
		if s.checkSession(w, r) {
			s.endSession(r.Header.Get(sessionHeader))
			w.WriteHeader(http.StatusNoContent)
		}
	default:
		w.Header().Set("Allow", s.allow())
		http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
	}
}

func (s *Server) allow() string {
	return map[Dialect]string{Stateful: "GET, POST, DELETE", Stateless: "GET, POST", Discover: "POST"}[s.options.Dialect]
}

// readRequest reads a JSON-RPC request or notification; what is neither, it answers.
func readRequest(w http.ResponseWriter, r *http.Request) (req request, ok bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBodyBytes))
	switch {
	case err != nil:
		writeError(w, http.StatusRequestEntityTooLarge, nil, codeInvalidRequest, "the body is too large or broke off")
	case json.Unmarshal(body, &req) != nil:
		writeError(w, http.StatusBadRequest, nil, codeParse, "Parse error")
	case req.Version != "2.0" || req.Method == "":
		writeError(w, http.StatusBadRequest, req.ID, codeInvalidRequest, "Invalid Request")
	default:
		ok = true
	}
	return req, ok
}

func (s *Server) post(w http.ResponseWriter, r *http.Request) {
	req, ok := readRequest(w, r)
	if !ok {
		return
	}
	if s.options.Dialect == Discover && !checkHeaders(w, r, req) {
		return
	}
	if s.options.Dialect == Stateful && req.Method != "initialize" && !s.checkSession(w, r) {
		return
	}
	if len(req.ID) == 0 {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	result, rpcErr := s.call(r, req)
	if rpcErr == nil && req.Method == "initialize" && s.options.Dialect == Stateful {
		w.Header().Set(sessionHeader, s.newSession())
	}
	s.answer(w, rpcResponse{Version: "2.0", ID: req.ID, Result: result, Error: rpcErr})
}

// call answers the methods of the dialect.
func (s *Server) call(r *http.Request, req request) (any, *rpcError) {
	discover := s.options.Dialect == Discover
	switch {
	case req.Method == "initialize" && !discover:
		return initialize(req.Params), nil
	case req.Method == "ping" && !discover:
		return map[string]any{}, nil
	case req.Method == "server/discover" && discover:
		return map[string]any{
			"resultType": "complete", "supportedVersions": []string{discoverVersion}, "capabilities": capabilities(),
			"_meta": map[string]any{"io.modelcontextprotocol/serverInfo": serverInfo},
		}, nil
	case req.Method == "tools/list":
		return s.finish(map[string]any{"tools": toolList()}), nil
	case req.Method == "tools/call":
		result, err := callTool(r, req.Params)
		return s.finish(result), err
	default:
		return nil, &rpcError{Code: codeMethodNotFound, Message: fmt.Sprintf("Method not found: %s", req.Method)}
	}
}

// finish adds what results of the newer revision must say about themselves.
func (s *Server) finish(result map[string]any) any {
	if result != nil && s.options.Dialect == Discover {
		result["resultType"] = "complete"
	}
	return result
}

func capabilities() map[string]any {
	return map[string]any{"tools": map[string]any{"listChanged": false}}
}

// initialize agrees to the client's version if it is one with a handshake, and offers the newest such otherwise.
func initialize(params json.RawMessage) any {
	var asked struct {
		ProtocolVersion string `json:"protocolVersion"`
	}
	_ = json.Unmarshal(params, &asked)
	if !slices.Contains(handshakeVersions, asked.ProtocolVersion) {
		asked.ProtocolVersion = handshakeVersions[0]
	}
	return map[string]any{
		"protocolVersion": asked.ProtocolVersion, "capabilities": capabilities(), "serverInfo": serverInfo,
	}
}

// checkHeaders holds the standard headers of revision 2026-07-28 against the body.
func checkHeaders(w http.ResponseWriter, r *http.Request, req request) bool {
	version := r.Header.Get(versionHeader)
	switch {
	case version == "":
		writeError(w, http.StatusBadRequest, req.ID, codeHeaderMismatch, "Bad Request: header MCP-Protocol-Version is missing")
	case version != discoverVersion:
		writeError(w, http.StatusBadRequest, req.ID, codeUnsupportedVersion, "Unsupported protocol version")
	case r.Header.Get(methodHeader) != req.Method:
		writeError(w, http.StatusBadRequest, req.ID, codeHeaderMismatch, "Bad Request: header Mcp-Method differs from the body")
	default:
		return true
	}
	return false
}
