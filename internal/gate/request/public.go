package request

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/requestcheck"
)

// The answers to a health check. They are all that one learns: they do not depend on the request, and nothing of them is
// the server's.
const (
	healthy   = `{"status":"ok"}` + "\n"
	unhealthy = `{"status":"unavailable"}` + "\n"
)

// answerPublic answers what is for anybody, and judges the origin of all else. It reports whether the request is answered:
// with the metadata, which pages of every origin may read; with a refusal of the origin; with a preflight's answer; or with
// the gate's health.
func (x *exchange) answerPublic() bool {
	config := x.snapshot.Config
	if document := x.snapshot.Metadata; document.Is(x.request.URL.EscapedPath()) {
		x.response.origins = nil // The document says itself who may read it.
		denial := document.Serve(x.response, x.request)
		x.endPublic(denial == nil)
		if denial != nil {
			x.refuse(denial)
		}
		return true
	}
	if denial := requestcheck.Origin(x.request, config); denial != nil {
		x.refuse(denial)
		return true
	}
	if requestcheck.IsPreflight(x.request, config) {
		x.response.origins = nil
		requestcheck.AnswerPreflight(x.response, x.request, config)
		x.endPublic(true)
		return true
	}
	return x.answerHealthCheck()
}

// endPublic takes in the rest of the body; answered is false if the request was refused.
func (x *exchange) endPublic(answered bool) {
	if x.result.public = answered; answered {
		if x.handler.Connections.Crowded() {
			x.body.SkipDrain()
		}
		x.body.Drain()
	}
}

// answerHealthCheck answers what load balancers ask. It reports whether the request is answered. What belongs to the server is
// never a health path, whatever the configuration says.
func (x *exchange) answerHealthCheck() bool {
	config, path := x.snapshot.Config, x.request.URL.EscapedPath()
	isGet := x.request.Method == http.MethodGet || x.request.Method == http.MethodHead
	if !isGet {
		return false
	}
	if !slices.Contains(config.HealthPaths, path) || config.Upstream.IsEndpoint(path) || slices.Contains(config.Upstream.ExtraPaths, path) {
		return false
	}
	status, text := http.StatusOK, healthy
	if x.handler.Ready() != nil || x.handler.Drain.Ending() {
		status, text = http.StatusServiceUnavailable, unhealthy
	}
	header := x.response.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(len(text)))
	header.Set("Cache-Control", "no-store")
	x.response.WriteHeader(status)
	if x.request.Method == http.MethodGet {
		_, _ = x.response.Write([]byte(text)) // A client that has gone cannot be told.
	}
	x.endPublic(true)
	return true
}
