package deny

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/limit/body"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// ReasonHeader carries the Reason. It is on every answer that the gate gives itself and on no other: the gate removes
// headers of this prefix from what the server sends.
const (
	HeaderPrefix = "Gatehouse-"
	ReasonHeader = HeaderPrefix + "Reason"
)

// headerMismatch is MCP's own error code for what Mismatch says (MCP 2026-07-28, streamable HTTP, "Server Validation"):
// a client must not see whether the gate or the server compared.
const headerMismatch = -32020

// codeOf gives the JSON-RPC error code of a denial: of its HTTP status, outside the ranges that JSON-RPC 2.0 and MCP
// reserve (MCP 2026-07-28, basic, "Error Codes"), but where MCP has a code for just this.
func codeOf(denial *Denial) int {
	if denial.Reason == gateapi.ReasonHeaderMismatch {
		return headerMismatch
	}
	return -31000 - denial.Status
}

type answer struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Error   answerError     `json:"error"`
}

type answerError struct {
	Code    int        `json:"code"`
	Message string     `json:"message"`
	Data    answerData `json:"data"`
}

type answerData struct {
	Error  string         `json:"error,omitempty"`
	Reason gateapi.Reason `json:"reason"`
	Status int            `json:"status"`
}

// Answer writes the denial and then takes in what is left of the request body, within limits: a client that is still
// sending would otherwise see its connection reset and never read the status.
func (d *Denial) Answer(w http.ResponseWriter, request *body.Body, site Site) {
	if d.skipDrain {
		request.SkipDrain()
	}
	payload, err := json.Marshal(answer{
		Version: "2.0",
		ID:      requestID(request.Head()),
		Error: answerError{
			Code:    codeOf(d),
			Message: http.StatusText(d.Status) + ": " + d.Message,
			Data:    answerData{Error: d.code, Reason: d.Reason, Status: d.Status},
		},
	})
	if err != nil { // Cannot be: every part is a string, a number, or JSON that was read before.
		payload = []byte("{}")
	}
	payload = append(payload, '\n')
	header := w.Header()
	clear(header)
	header.Set("Content-Type", "application/json")
	// A client sees whether it got the whole message.
	header.Set("Content-Length", strconv.Itoa(len(payload)))
	header.Set("Cache-Control", "no-store")
	header.Set(ReasonHeader, string(d.Reason))
	if d.challenge {
		header.Set("WWW-Authenticate", d.Challenge(site))
	}
	if d.retryAfter != "" {
		header.Set("Retry-After", d.retryAfter)
	}
	if d.allow != "" {
		header.Set("Allow", d.allow)
	}
	if d.hangUp {
		header.Set("Connection", "close")
	}
	w.WriteHeader(d.Status)
	// A client that has gone cannot be told; there is nobody else to tell.
	_, _ = w.Write(payload)
	_ = http.NewResponseController(w).Flush()
	request.Drain()
}

// Site is what a challenge says of the server, whoever is refused.
type Site struct {
	// Realm names the server.
	Realm string
	// Metadata is the URL of its protected resource metadata (RFC 9728 section 5.1); empty if it has none.
	Metadata string
	// Scope is what every token needs, separated by single spaces; it may be empty.
	Scope string
}

// Challenge is the WWW-Authenticate value: exactly one Bearer challenge with at least one parameter, each at most once
// (RFC 6750 section 3). Clients look for parameters by plain search, so no text may contain "error=" or the like.
func (d *Denial) Challenge(site Site) string {
	var out strings.Builder
	out.WriteString(`Bearer realm="` + quotable(site.Realm) + `"`)
	parameter := func(name, value string) {
		if value != "" {
			out.WriteString(", " + name + `="` + quotable(value) + `"`)
		}
	}
	parameter("error", d.code)
	scope := d.scope
	if scope == "" {
		scope = site.Scope
	}
	parameter("scope", scope)
	parameter("resource_metadata", site.Metadata)
	if d.code != "" {
		parameter("error_description", d.Message)
	}
	return out.String()
}

// quotable keeps the characters that RFC 6750 section 3 allows inside quotes.
func quotable(text string) string {
	return strings.Map(func(c rune) rune {
		if c < 0x20 || c > 0x7e || c == '"' || c == '\\' {
			return -1
		}
		return c
	}, text)
}
