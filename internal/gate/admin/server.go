package admin

import (
	"log"
	"net/http"
	"time"
)

const (
	// requestTime is how long a request may take to arrive, body included.
	requestTime = 10 * time.Second
	// answerTime is how long an answer may take, from the end of the request's header. /quiesce, which waits on purpose,
	// has this long to write its answer.
	answerTime = 30 * time.Second
	// headerBytes is far above what kubelets, scrapers and the operator send.
	headerBytes = 8 << 10
)

// NewServer returns a server for Handler. It bounds the time and the size of every request; Bound limits its connections.
func NewServer(handler http.Handler, errorLog *log.Logger) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: requestTime,
		ReadTimeout:       requestTime,
		WriteTimeout:      answerTime,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    headerBytes,
		Protocols:         protocols,
		// Else net/http would answer "OPTIONS *" itself, to anybody.
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     errorLog,
	}
}

// atMost passes on so many requests at a time. Any further one is answered 503 at once.
func atMost(limit int, handler http.Handler) http.Handler {
	places := make(chan struct{}, limit)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case places <- struct{}{}:
			defer func() { <-places }()
			handler.ServeHTTP(w, r)
		default:
			w.Header().Set("Retry-After", "1")
			http.Error(w, "too many requests at once", http.StatusServiceUnavailable)
		}
	})
}
