package loadclient

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
)

// server takes orders over HTTP. It has one load at a time.
type server struct {
	ctx    context.Context // of the process: a load outlives the request that began it
	tokens Tokens

	mu   sync.Mutex
	load *Load
	stop context.CancelFunc
	// documents are what is served, by name.
	documents map[string][]byte
}

// NewServer takes orders from a test: POST /ask with a Request, answered by an Answer; POST /load with Callers, which
// replace those at work; GET /load, answered by a Report; POST /tokens with names and tokens, which callers send from then
// on; POST /documents/NAME with JSON that GET gives to anybody, fresh for a second. GET /healthz says that it listens.
func NewServer(ctx context.Context) http.Handler {
	s := &server{ctx: ctx, stop: func() {}, load: &Load{}, documents: map[string][]byte{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /ask", s.ask)
	mux.HandleFunc("POST /load", s.start)
	mux.HandleFunc("GET /load", s.report)
	mux.HandleFunc("POST /tokens", s.handOver)
	mux.HandleFunc("POST /documents/{name}", s.publish)
	mux.HandleFunc("GET /documents/{name}", s.document)
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	return mux
}

func (s *server) ask(w http.ResponseWriter, r *http.Request) {
	var request Request
	if readJSON(w, r, &request) {
		writeJSON(w, Ask(r.Context(), request))
	}
}

func (s *server) start(w http.ResponseWriter, r *http.Request) {
	var callers []Caller
	if !readJSON(w, r, &callers) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop()
	ctx, stop := context.WithCancel(s.ctx)
	s.stop = stop
	s.load = Start(ctx, callers, &s.tokens)
	writeJSON(w, s.load.Report())
}

func (s *server) report(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	load := s.load
	s.mu.Unlock()
	writeJSON(w, load.Report())
}

func (s *server) handOver(w http.ResponseWriter, r *http.Request) {
	var tokens map[string]string
	if readJSON(w, r, &tokens) {
		s.tokens.Add(tokens)
		writeJSON(w, len(tokens))
	}
}

func (s *server) publish(w http.ResponseWriter, r *http.Request) {
	var document json.RawMessage
	if !readJSON(w, r, &document) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.documents[r.PathValue("name")] = document
	writeJSON(w, len(document))
}

func (s *server) document(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	document, found := s.documents[r.PathValue("name")]
	s.mu.Unlock()
	if !found {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "max-age=1")
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(document)
}

func readJSON(w http.ResponseWriter, r *http.Request, into any) bool {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return false
	}
	return true
}

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}
