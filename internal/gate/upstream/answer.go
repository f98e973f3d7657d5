package upstream

import (
	"io"
	"net/http"
)

// Answer is what the server answers: a head, and a body that may still be coming in.
type Answer struct {
	*http.Response

	// Body takes the place of Response.Body. It has to be closed.
	Body Body
}

// Body is read by one goroutine.
type Body interface {
	io.ReadCloser
	// BeforeWait has flush called, by Read, before it waits for the server. It may be called more often.
	BeforeWait(flush func())
	// Abort ends the exchange: a Read that waits fails. Any goroutine may call it, at any time.
	Abort()
}
