package probe

import (
	"fmt"
	"slices"
)

// Sessions are those that a prober has open at one gate, at most one for each issuer: what a check opens the next one goes on
// with. Servers keep sessions until they are ended, and some for good. They cannot be read, printed or encoded; keep them in
// memory alone.
type Sessions struct {
	// url is where they were opened. They are never named to anybody else.
	url  string
	Open []Session
	// Refusal is what the server answers who wants to end a session; its zero value if it ends them, or was not asked.
	Refusal EndRefused
}

// Session is one that is open, and what is known of it.
type Session struct {
	Provider, ID, Version string
	// Initialized: the server was told that its client is ready, which it may want to hear before anything else.
	Initialized bool
	// By is the method by which it is used: "ping", or where the server does not know that, "tools/list".
	By string
	// Server and tools are what its handshake said; server is nil where that was done in short.
	Server *ServerInfo
	Tools  []Tool
	// Lists: the server has tools that the positive control may list.
	Lists bool
}

// Tool is one of the server's, as far as it matters for calling it.
type Tool struct {
	Name        string `json:"name"`
	Annotations struct {
		ReadOnlyHint bool `json:"readOnlyHint"`
	} `json:"annotations"`
	InputSchema struct {
		Required []string `json:"required"`
	} `json:"inputSchema"`
}

// ServerInfo is what the MCP server behind the gate tells about itself. All text is the server's own, bounded and
// cleaned.
type ServerInfo struct {
	Name            string `json:"name,omitempty"`
	Version         string `json:"version,omitempty"`
	ProtocolVersion string `json:"protocolVersion,omitempty"`
	// Tools is the number of tools on the first page of tools/list; 0 for a server that offers none.
	Tools int `json:"tools"`
}

// EndRefused is the answer of a server that does not end a session when its client says that it is over.
type EndRefused struct {
	// Status is that of the answer, 0 where the session was ended.
	Status int `json:"status"`
}

// EndRefused is what the server said when it was to end a session and did not.
func (s Sessions) EndRefused() EndRefused { return s.Refusal }

// Format implements fmt.Formatter: nothing of a session is printed.
func (s Sessions) Format(state fmt.State, _ rune) {
	_, _ = fmt.Fprintf(state, "%d sessions", len(s.Open))
}

// MarshalJSON implements json.Marshaler likewise.
func (Sessions) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// At are the sessions as far as they are of a gate at this URL.
func (s Sessions) At(url string) Sessions {
	if s.url != url {
		return Sessions{url: url}
	}
	s.Open = slices.Clone(s.Open)
	return s
}

// Of is the session of an issuer's positive control, nil if there is none.
func (s *Sessions) Of(provider string) *Session {
	for i := range s.Open {
		if s.Open[i].Provider == provider {
			return &s.Open[i]
		}
	}
	return nil
}

// Take removes the session of an issuer, and gives it; found reports whether there was one.
func (s *Sessions) Take(provider string) (taken Session, found bool) {
	if kept := s.Of(provider); kept != nil {
		taken, found = *kept, true
	}
	s.Open = slices.DeleteFunc(s.Open, func(o Session) bool { return o.Provider == provider })
	return taken, found
}
