package mcpfake

import (
	"fmt"
	"os"
	"slices"
	"time"
)

// Dialect is the way in which a server talks with its clients.
type Dialect string

const (
	// Stateful opens with initialize, hands out an Mcp-Session-Id and wants it on every later request.
	Stateful Dialect = "stateful"
	// Stateless opens with initialize and knows no sessions.
	Stateless Dialect = "stateless"
	// Discover is MCP revision 2026-07-28: no handshake, server/discover, POST only, and every request names its
	// protocol version and method in headers.
	Discover Dialect = "discover"
)

// Dialects lists every Dialect.
func Dialects() []Dialect { return []Dialect{Stateful, Stateless, Discover} }

// Answer is the form in which a request is answered.
type Answer string

const (
	// JSON is one application/json body.
	JSON Answer = "json"
	// SSE is a text/event-stream that ends after the answer.
	SSE Answer = "sse"
)

// Answers lists every Answer.
func Answers() []Answer { return []Answer{JSON, SSE} }

// Options say how a Server behaves. The zero value is a healthy stateful server that answers in JSON at /mcp.
type Options struct {
	Dialect Dialect
	Answer  Answer
	// Path is the MCP endpoint.
	Path string
	// Faults is a comma-separated list of faults, each NAME[=ARGUMENT][@TRIGGER...]; see Usage for the names. The first
	// one whose trigger fits a request deals with it: "reset@no-token,any-bearer" resets where "any-bearer" would refuse.
	Faults string
	// StreamInterval is the time between two events on a GET stream; default 1 s.
	StreamInterval time.Duration
	// Exit ends the process for the faults that crash it; default os.Exit. Tests in the same process set it.
	Exit func(code int)
}

func (o Options) withDefaults() (Options, error) {
	if o.Dialect == "" {
		o.Dialect = Stateful
	}
	if o.Answer == "" {
		o.Answer = JSON
	}
	if o.Path == "" {
		o.Path = "/mcp"
	}
	if o.StreamInterval == 0 {
		o.StreamInterval = time.Second
	}
	if o.Exit == nil {
		o.Exit = os.Exit
	}
	switch {
	case !slices.Contains(Dialects(), o.Dialect):
		return o, fmt.Errorf("unknown dialect %q: use one of %v", o.Dialect, Dialects())
	case !slices.Contains(Answers(), o.Answer):
		return o, fmt.Errorf("unknown answer %q: use one of %v", o.Answer, Answers())
	case o.Path[0] != '/' || o.Path == healthPath || o.Path == requestsPath:
		return o, fmt.Errorf("path %q does not begin with / or is taken", o.Path)
	case o.StreamInterval < 0:
		return o, fmt.Errorf("stream interval %s is negative", o.StreamInterval)
	}
	return o, nil
}
