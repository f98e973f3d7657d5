package mcpfake

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// answer writes a response in the form that the options ask for.
func (s *Server) answer(w http.ResponseWriter, response rpcResponse) {
	if s.options.Answer == JSON || (s.options.Dialect == Discover && response.Error != nil) {
		writeJSON(w, statusOf(s.options.Dialect, response.Error), response)
		return
	}
	data, _ := json.Marshal(response) //nolint:errchkjson // it holds nothing that JSON cannot say
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = fmt.Fprintf(w, "event: message\ndata: %s\n\n", data)
}

// statusOf: an unknown method is 404 in revision 2026-07-28; before, JSON-RPC errors come with 200.
func statusOf(dialect Dialect, err *rpcError) int {
	if dialect == Discover && err != nil && err.Code == codeMethodNotFound {
		return http.StatusNotFound
	}
	return http.StatusOK
}

func writeError(w http.ResponseWriter, status int, id json.RawMessage, code int, message string) {
	if len(id) == 0 {
		id = json.RawMessage("null")
	}
	writeJSON(w, status, rpcResponse{Version: "2.0", ID: id, Error: &rpcError{Code: code, Message: message}})
}

// stream sends an event at once and then one per interval, until the client leaves or the server shuts down.
func (s *Server) stream(w http.ResponseWriter, r *http.Request) {
	if s.options.Dialect == Stateful && !s.checkSession(w, r) {
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache")
	controller := http.NewResponseController(w)
	ticker := time.NewTicker(s.options.StreamInterval)
	defer ticker.Stop()
	for count := 1; ; count++ {
		_, err := fmt.Fprintf(w, "id: %d\nevent: message\ndata: "+
			`{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"event %d"}}`+"\n\n", count, count)
		if err != nil || controller.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-s.ending:
			return
		case <-ticker.C:
		}
	}
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
