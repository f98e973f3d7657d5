package upstream

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"time"
)

// maxHeadBytes bounds the head of an answer.
const maxHeadBytes = 64 << 10

var (
	errNoAnswer = errors.New("the server did not begin to answer in time")
	errNotHTTP  = errors.New("the server sent something that is not HTTP")
	errUpgrade  = errors.New("the server switched protocols")
)

// Fresh exchanges any request, each on a connection of its own, and answers may begin while the request is still being
// sent. It is safe for concurrent use.
type Fresh struct {
	timeout   time.Duration
	transport *http.Transport
}

// NewFresh makes a Fresh; timeout bounds the time until an answer begins.
func NewFresh(timeout time.Duration) *Fresh {
	return &Fresh{timeout: timeout, transport: &http.Transport{
		Proxy: nil, // No environment variable may send verified requests elsewhere.
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			trail := trailOf(ctx)
			conn, err := dial(ctx, address, trail)
			if err != nil {
				return nil, err
			}
			return &witness{conn, trail}, nil
		},
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHeadBytes,
	}}
}

// Do sends r to the address in its URL and gives the head of the answer; ctx ends the exchange up to the end of the
// answer's body, which the caller has to close. What an error means is in the trail.
func (f *Fresh) Do(ctx context.Context, r *http.Request, trail *Trail) (Answer, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	impatience := time.AfterFunc(f.timeout, func() { cancel(errNoAnswer) })
	response, err := f.transport.RoundTrip(r.WithContext(leaveTrail(ctx, trail)))
	impatience.Stop()
	if errors.Is(context.Cause(ctx), errNoAnswer) {
		trail.note(func() { trail.late = true })
	}
	if err == nil {
		if err = judgeHead(response, trail); err != nil {
			response.Body.Close()
		}
	}
	if err != nil {
		cancel(nil)
		return Answer{}, err
	}
	return Answer{response, &freshBody{ReadCloser: response.Body, cancel: cancel}}, nil
}

type freshBody struct {
	io.ReadCloser

	cancel context.CancelCauseFunc
	flush  func()
}

// Read cannot see what http.Transport has in its buffers.
func (b *freshBody) Read(p []byte) (int, error) {
	if b.flush != nil {
		b.flush()
	}
	return b.ReadCloser.Read(p)
}

func (b *freshBody) BeforeWait(flush func()) { b.flush = flush }

func (b *freshBody) Abort() { b.cancel(nil) }

func (b *freshBody) Close() error {
	defer b.cancel(nil)
	return b.ReadCloser.Close()
}

type trailKey struct{}

// leaveTrail takes the trail to where the connection is made, and looks at interim answers.
func leaveTrail(ctx context.Context, trail *Trail) context.Context {
	seen := &interim{}
	ctx = context.WithValue(ctx, trailKey{}, trail)
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		Got1xxResponse: func(_ int, header textproto.MIMEHeader) error { return seen.add(http.Header(header)) },
	})
}

// trailOf never fails: Do is the only one who dials.
func trailOf(ctx context.Context) *Trail {
	trail, ok := ctx.Value(trailKey{}).(*Trail)
	if !ok {
		return &Trail{}
	}
	return trail
}
