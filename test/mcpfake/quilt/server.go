package quilt

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/mcp-gatehouse/gatehouse/test/mcpfake"
)

const path = "/mcp"

var healthPaths = []string{"/", "/health", "/healthz"}

// versions are what a server says of itself, by its release.
var versions = map[Release]string{Release014: "0.14.1", Release021: "0.21.0", Release022: "0.22.0"}

// Server is one quilt-mcp-server.
type Server struct {
	config Config
	mcp    *mcpfake.Server
}

// New makes a Server.
func New(config Config) (*Server, error) {
	options := mcpfake.Options{Dialect: mcpfake.Stateless}
	if !config.Multiuser {
		options = mcpfake.Options{Dialect: mcpfake.Stateful, Answer: mcpfake.SSE}
	}
	mcp, err := mcpfake.New(options)
	if err != nil {
		return nil, fmt.Errorf("quilt: %w", err)
	}
	return &Server{config: config, mcp: mcp}, nil
}

// ServeHTTP makes the Server a handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if slices.Contains(healthPaths, r.URL.Path) {
		s.health(w, r)
		return
	}
	if s.config.Multiuser {
		if status, message := s.judge(r); status != 0 {
			answer(w, status, map[string]any{"error": message})
			return
		}
	}
	switch r.URL.Path {
	case path:
		if r.Header.Get("Origin") != "" {
			w.Header().Set("Access-Control-Allow-Origin", "*")
			w.Header().Set("Access-Control-Expose-Headers", "mcp-session-id")
		}
		s.mcp.ServeHTTP(w, r)
	case path + "/":
		w.Header().Set("Location", "http://"+r.Host+path)
		w.WriteHeader(http.StatusTemporaryRedirect)
	default:
		http.Error(w, "Not Found", http.StatusNotFound)
	}
}

func (s *Server) health(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Cache-Control", "no-cache, no-store, must-revalidate")
	answer(w, http.StatusOK, map[string]any{
		"status": "ok", "timestamp": time.Now().UTC().Format(time.RFC3339), "route": r.URL.Path,
		"server": map[string]string{"name": "quilt-mcp-server", "version": versions[s.config.Release], "transport": "http"},
	})
}

// Run serves until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.config.Addr)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
