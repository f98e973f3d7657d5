package mcpfake

import (
	"crypto/rand"
	"net/http"
)

// checkSession: 400 without a session, 404 with one that is unknown or was ended (MCP 2025-11-25, "Session
// Management").
func (s *Server) checkSession(w http.ResponseWriter, r *http.Request) bool {
	id := r.Header.Get(sessionHeader)
	s.mu.Lock()
	known := s.sessions[id]
	s.mu.Unlock()
	switch {
	case id == "":
		writeError(w, http.StatusBadRequest, nil, codeInvalidRequest, "Bad Request: Missing session ID")
	case !known:
		writeError(w, http.StatusNotFound, nil, codeInvalidRequest, "Session not found")
	}
	return known
}

func (s *Server) newSession() string {
	id := rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions[id] = true
	return id
}

func (s *Server) endSession(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, id)
}
