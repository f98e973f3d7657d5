package wire

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"
)

// Sender sends requests to one target and reads the answers.
type Sender struct {
	Dial DialFunc
	Now  func() time.Time
	// TLS is what an https target must show.
	TLS *tls.Config
	// Timeout is how long a body is held back that waits to be wanted.
	Timeout time.Duration

	mu    sync.Mutex // guards clock
	Clock Clock
}

// Send makes one request on a connection of its own and reads the answer until the request's context ends. No redirect
// is followed, no cookie or proxy used, no connection kept. id is the JSON-RPC id whose answer ends an event stream.
func (s *Sender) Send(request *http.Request, id string) Answer {
	var seen recorder
	transport := s.transport(&seen)
	// Not DisableKeepAlives: it sends "Connection: close", which most clients do not.
	transport.MaxIdleConnsPerHost = -1
	return s.exchange(transport.RoundTrip, &seen, request, func(response *http.Response) ([]byte, bool) {
		return readBody(response, id)
	})
}

func (s *Sender) transport(seen *recorder) *http.Transport {
	return &http.Transport{
		DialContext: seen.record(s.Dial),
		DialTLSContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return seen.secure(ctx, s.Dial, network, address, s.TLS.Clone())
		},
		DisableCompression:     true,
		MaxResponseHeaderBytes: MaxHeaderBytes,
		ExpectContinueTimeout:  s.Timeout,
	}
}

// SendHTTP2 is send in HTTP/2, which net/http speaks over a TLS of its own only.
func (s *Sender) SendHTTP2(request *http.Request, id string) Answer {
	var seen recorder
	transport := s.transport(&seen)
	transport.DialTLSContext, transport.TLSClientConfig = nil, s.TLS.Clone()
	transport.Protocols = new(http.Protocols)
	transport.Protocols.SetHTTP2(true)
	defer transport.CloseIdleConnections()
	return s.exchange(transport.RoundTrip, &seen, request, func(response *http.Response) ([]byte, bool) {
		return readBody(response, id)
	})
}

// exchange makes one request by trip, reads its answer by read, and keeps all that was seen.
func (s *Sender) exchange(
	trip func(*http.Request) (*http.Response, error), seen *recorder, request *http.Request,
	read func(*http.Response) ([]byte, bool),
) Answer {
	out := Answer{sent: s.Now()}
	response, err := trip(request)
	if err == nil {
		out.Status, out.Header = response.StatusCode, response.Header
		out.Body, out.complete = read(response)
		_ = response.Body.Close()
	}
	out.received = s.Now()
	out.trace = seen.trace()
	out.ended = request.Context().Err() != nil
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Clock.Read(out)
	return out
}
