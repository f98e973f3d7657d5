package loadclient

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
)

// Request is one request to put.
type Request struct {
	// Method; default POST.
	Method string `json:"method,omitempty"`
	URL    string `json:"url"`
	// Header fields, one value each.
	Header map[string]string `json:"header,omitempty"`
	Body   string            `json:"body,omitempty"`
	// TimeoutSeconds for the whole exchange; default 30.
	TimeoutSeconds int `json:"timeoutSeconds,omitempty"`
}

// Failure says how a request ended that has no whole answer.
type Failure string

// The ways in which a request can fail.
const (
	Reset   Failure = "reset"   // RST before the end of the answer
	Closed  Failure = "closed"  // FIN before the end of the answer
	Refused Failure = "refused" // nobody listens, or a firewall says so
	Timeout Failure = "timeout"
	Other   Failure = "other"
)

// Answer is how a request ended: with Status, Header and Body, or with Failure and Error.
type Answer struct {
	Status  int         `json:"status,omitempty"`
	Header  http.Header `json:"header,omitempty"`
	Body    string      `json:"body,omitempty"`
	Failure Failure     `json:"failure,omitempty"`
	// Error is the failure in the words of net/http.
	Error string `json:"error,omitempty"`
}

// newTransport makes connections as told: one for each request, or one that is kept.
func newTransport(keep bool) *http.Transport {
	return &http.Transport{
		DisableKeepAlives: !keep,
		DialContext:       (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
	}
}

// Ask puts one request on a connection of its own.
func Ask(ctx context.Context, request Request) Answer {
	return ask(ctx, newTransport(false), request)
}

func ask(ctx context.Context, transport http.RoundTripper, request Request) Answer {
	seconds := request.TimeoutSeconds
	if seconds == 0 {
		seconds = 30
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(seconds)*time.Second)
	defer cancel()
	method := request.Method
	if method == "" {
		method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(ctx, method, request.URL, strings.NewReader(request.Body))
	if err != nil {
		return failed(err)
	}
	for name, value := range request.Header {
		r.Header.Set(name, value)
	}
	// A client would follow redirects; a transport shows what there is.
	response, err := transport.RoundTrip(r)
	if err != nil {
		return failed(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return failed(err)
	}
	return Answer{Status: response.StatusCode, Header: response.Header, Body: string(body)}
}

func failed(err error) Answer {
	var timeout net.Error
	answer := Answer{Failure: Other, Error: err.Error()}
	switch {
	case errors.Is(err, syscall.ECONNRESET):
		answer.Failure = Reset
	case errors.Is(err, syscall.ECONNREFUSED):
		answer.Failure = Refused
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		answer.Failure = Closed
	case errors.As(err, &timeout) && timeout.Timeout():
		answer.Failure = Timeout
	}
	return answer
}
