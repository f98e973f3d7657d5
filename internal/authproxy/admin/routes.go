package admin

import (
	"context"
	"io"
	"net/http"
)

// Routes are what the admin port can do.
type Routes struct {
	// Ready fails while the gate should get no traffic; its error is the answer.
	Ready func() error
	// Server fails while the server behind the gate is not well.
	Server func() error
	// Quiesce returns when the server may be stopped.
	Quiesce func(context.Context)
	// Terminate hears that the pod is ending; it returns at once.
	Terminate func()
	Metrics   http.Handler
	State     http.Handler
}

// Handler serves the admin port:
//
//	/livez      200 while the process runs
//	/readyz     200 or 503 by Ready
//	/serverz    200 or 503 by Server
//	/quiesce    200 when Quiesce returns; the preStop hook of the server's container. It changes no state: the kubelet
//	            calls it before it restarts that container, too
//	/terminate  200 at once; the preStop hook of the gate's own container
//	/metrics    Prometheus metrics
//	/state      State, or 404
func Handler(routes Routes) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { word(w, nil) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { word(w, routes.Ready()) })
	mux.HandleFunc("GET /serverz", func(w http.ResponseWriter, _ *http.Request) { word(w, routes.Server()) })
	mux.HandleFunc("GET /quiesce", func(w http.ResponseWriter, r *http.Request) {
		routes.Quiesce(r.Context())
		word(w, nil)
	})
	mux.HandleFunc("GET /terminate", func(w http.ResponseWriter, _ *http.Request) {
		routes.Terminate()
		word(w, nil)
	})
	mux.Handle("GET /metrics", routes.Metrics)
	mux.Handle("/state", routes.State)
	return mux
}

// word answers "ok", or 503 and what is wrong.
func word(w http.ResponseWriter, err error) {
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
