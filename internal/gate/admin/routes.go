package admin

import (
	"context"
	"io"
	"net/http"
	"time"
)

// Routes are what the admin port can do. Nothing of it changes a state of the gate: whoever reaches the port, such as the
// server of the pod or a page in a browser, could ask for it. The end of the pod is announced by a signal; see
// gateapi.TerminateCommand.
type Routes struct {
	// Ready fails while the gate should get no traffic; its error is the answer.
	Ready func() error
	// Server fails while the server behind the gate is not well.
	Server func() error
	// Quiesce returns when the server may be stopped.
	Quiesce func(context.Context)
	Metrics http.Handler
	State   http.Handler
}

// maxScrapes is how many requests for metrics are answered at a time: each gathers all of them.
const maxScrapes = 4

// Handler serves the admin port:
//
//	/livez      200 while the process runs
//	/readyz     200 or 503 by Ready
//	/serverz    200 or 503 by Server
//	/quiesce    200 when Quiesce returns; the preStop hook of the server's container. The kubelet calls it before it
//	            restarts that container, too
//	/metrics    Prometheus metrics; 503 above maxScrapes at a time
//	/state      State, or 404
func Handler(routes Routes) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { writeWord(w, nil) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { writeWord(w, routes.Ready()) })
	mux.HandleFunc("GET /serverz", func(w http.ResponseWriter, _ *http.Request) { writeWord(w, routes.Server()) })
	mux.HandleFunc("GET /quiesce", func(w http.ResponseWriter, r *http.Request) {
		answer := http.NewResponseController(w)
		// The wait is longer than an answer may take. A writer that knows no deadline, as of tests, has none to lift.
		_ = answer.SetWriteDeadline(time.Time{})
		routes.Quiesce(r.Context())
		_ = answer.SetWriteDeadline(time.Now().Add(answerTime))
		writeWord(w, nil)
	})
	mux.Handle("GET /metrics", atMost(maxScrapes, routes.Metrics))
	mux.Handle("/state", routes.State)
	return mux
}

// writeWord answers "ok", or 503 and what is wrong.
func writeWord(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	text := "ok"
	if err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		text = err.Error()
	}
	// Who asked may have gone; nobody else wants to know.
	_, _ = io.WriteString(w, text+"\n")
}
