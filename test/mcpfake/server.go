package mcpfake

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	healthPath   = "/health"
	requestsPath = "/_fake/requests"
)

// Server is a fake MCP server. Faults that concern requests befall the MCP endpoint only: /health stays well, as it
// does on real servers that fail behind it. Faults of the port befall all of it, and need Serve.
type Server struct {
	options   Options
	behaviour behaviour
	http      *http.Server

	// ending is closed when Shutdown begins: streams would else outlast any wait.
	ending chan struct{}
	// end closes ending, once.
	end func()

	with, without atomic.Int64

	mu       sync.Mutex
	sessions map[string]bool
}

// New makes a Server, or says what is wrong with the options.
func New(options Options) (*Server, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("mcpfake: %w", err)
	}
	parsed, err := parseFaults(options.Faults)
	if err != nil {
		return nil, fmt.Errorf("mcpfake: %w", err)
	}
	s := &Server{options: options, behaviour: parsed, ending: make(chan struct{}), sessions: map[string]bool{}}
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	s.end = sync.OnceFunc(func() { close(s.ending) })
	s.http.RegisterOnShutdown(s.end)
	return s, nil
}

// Prepare does what comes before listening: it waits or fails as the faults of the start demand. env is os.LookupEnv.
func (s *Server) Prepare(ctx context.Context, env func(string) (string, bool)) error {
	for _, step := range s.behaviour.before {
		if err := step(ctx, env); err != nil {
			return err
		}
	}
	return nil
}

// Shutdown stops listening, ends GET streams, and waits for requests in flight, at most until ctx ends.
func (s *Server) Shutdown(ctx context.Context) error { return s.http.Shutdown(ctx) }

// Close stops listening and cuts every connection.
func (s *Server) Close() error {
	s.end()
	return s.http.Close()
}

// ServeHTTP makes the Server a handler, for tests in the same process.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case s.options.Path:
		s.endpoint(w, r)
	case healthPath:
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	case requestsPath:
		writeJSON(w, http.StatusOK, s.Requests())
	default:
		http.NotFound(w, r)
	}
}

// Requests counts what reached the MCP endpoint.
type Requests struct {
	WithAuthorization    int64 `json:"withAuthorization"`
	WithoutAuthorization int64 `json:"withoutAuthorization"`
	// Sessions is how many sessions are open now.
	Sessions int `json:"sessions"`
}

// Requests tells the counters.
func (s *Server) Requests() Requests {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Requests{WithAuthorization: s.with.Load(), WithoutAuthorization: s.without.Load(), Sessions: len(s.sessions)}
}

// endpoint counts, lets the faults have their way, and then does what a server should.
func (s *Server) endpoint(w http.ResponseWriter, r *http.Request) {
	if noToken(r) {
		s.without.Add(1)
	} else {
		s.with.Add(1)
	}
	for _, handle := range s.behaviour.onRequest {
		switch handle(w, r, s.options.Exit) {
		case answered:
			return
		case spared:
			s.serveMCP(w, r)
			return
		case untouched:
		}
	}
	s.serveMCP(w, r)
}
