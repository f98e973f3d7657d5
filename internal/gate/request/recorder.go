package request

import (
	"net/http"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/requestcheck"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/audit"
)

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter

	leaving   func() bool
	request   *http.Request
	origins   []string // whose pages may read the answer
	requestID string
	status    int
	bytes     int64
}

// WriteHeader sends the client elsewhere for its next request when the pod is ending.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= http.StatusOK {
		r.status = status
		requestcheck.SetCORSHeaders(r.Header(), r.request, r.origins)
		r.Header()[audit.RequestIDHeader] = []string{r.requestID}
		if r.leaving() {
			r.Header().Set("Connection", "close")
		}
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.WriteHeader(http.StatusOK)
	}
	n, err := r.ResponseWriter.Write(p)
	r.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
