// Package body bounds a request body: how long it may be, how slowly it may come, how much memory it may take, and how
// much of it is taken in after the answer is decided. It remembers the beginning, so that an answer of the gate's own
// can echo the request's id.
//
// It must not know what a body means.
package body

import (
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

const (
	// Grace and LeastPace bound the time that a client may take for its body: Grace, and one more second for every
	// LeastPace bytes that have come. The time that the server takes to read does not count.
	Grace = 30 * time.Second
	// LeastPace is in bytes.
	LeastPace = 16 << 10
)

// What a Read of a Body may fail with, beside io.EOF, what Charge's account says and what the connection says.
var (
	ErrTooLarge = errors.New("the request body is longer than the limit")
	ErrSlow     = errors.New("the request body came too slowly")
	errClosed   = errors.New("the request body is closed")
)

// Account is asked before more of a body is kept in memory; a negative number of bytes is given back. It may refuse.
type Account interface{ Reserve(bytes int64) error }

// Body is the body of a request in progress. Read may run beside the other methods.
type Body struct {
	source  io.Reader
	writer  http.ResponseWriter
	control *http.ResponseController
	// grace and giveUp are Grace and drainTime but in tests; giveUp is 0 after SkipDrain.
	grace, giveUp time.Duration
	// sticky: over HTTP/2 a deadline that passes between two reads breaks the body for good.
	sticky bool
	// reluctant: the client waits for "100 Continue", which reading would send (RFC 9110 section 10.1.1).
	reluctant bool
	// declared is the Content-Length; negative if there is none.
	declared int64

	mu      sync.Mutex
	account Account
	waited  time.Duration // for the client
	left    int64
	read    int64 // all that came, also what was thrown away
	// ahead is what Prefetch has read, of which Read has given as much as given says; reserved is what it holds of the
	// account.
	ahead    []byte
	given    int
	reserved int64
	head     []byte // the beginning, unless it is in ahead
	begun    bool
	whole    bool // its end was seen
	closed   bool
	drained  bool
	// released: the connection is no longer this request's.
	released bool
	err      error
}

// Of takes over the body of r; limit is in bytes.
func Of(w http.ResponseWriter, r *http.Request, limit int64) *Body {
	b := &Body{
		source: r.Body, writer: w, control: http.NewResponseController(w), grace: Grace, giveUp: drainTime, left: limit,
		sticky: r.ProtoMajor >= 2, reluctant: r.Header.Get("Expect") != "", declared: r.ContentLength,
	}
	b.whole = r.Body == nil || r.Body == http.NoBody
	if r.ContentLength > limit {
		b.err = ErrTooLarge
	}
	return b
}

// Charge says whose memory is used from now on; before that, nobody asks.
func (b *Body) Charge(account Account) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.account = account
}

// Err returns why the body could not be read to its end, as far as that has shown: ErrTooLarge (also before the first
// Read, if the length was declared), ErrSlow, the account's refusal, or the connection's error.
func (b *Body) Err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

// Whole reports whether the end of the body has been read from the client.
func (b *Body) Whole() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.whole
}

// Bytes is how much of the body has come so far, whatever was done with it.
func (b *Body) Bytes() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.read
}

// Read implements io.Reader under the limits.
func (b *Body) Read(p []byte) (int, error) {
	if n := b.readAhead(p); n > 0 {
		return n, nil
	}
	n, err := b.receive(p)
	b.remember(p[:n])
	return n, err
}

// receive reads from the client.
func (b *Body) receive(p []byte) (int, error) {
	if err := b.begin(); err != nil {
		return 0, err
	}
	began := time.Now()
	b.setDeadline(began.Add(b.patience()))
	n, err := b.source.Read(p)
	return b.note(n, time.Since(began), err)
}

func (b *Body) begin() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return errClosed
	}
	b.begun = true
	if b.whole {
		return io.EOF
	}
	return b.err
}

// patience is how long the client may still take for its next byte.
func (b *Body) patience() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.grace + time.Duration(b.read)*time.Second/LeastPace - b.waited
}

func (b *Body) note(n int, waited time.Duration, err error) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left -= int64(n)
	b.read += int64(n)
	b.waited += waited
	if b.left < 0 {
		b.err = ErrTooLarge
		return 0, b.err
	}
	switch {
	case err == nil:
		if b.sticky {
			b.deadline(time.Time{})
		}
	case errors.Is(err, io.EOF):
		b.whole = true
		b.deadline(time.Time{})
	case errors.Is(err, os.ErrDeadlineExceeded):
		b.err = ErrSlow
		err = b.err
	default:
		b.err = err
	}
	return n, err
}

// Release is for the end of the request: what a Read does that is still under way, for a server that did not wait for
// all of the body, no longer concerns the connection, which may have gone on to another request by then.
func (b *Body) Release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed, b.released = true, true
}

// Close lets no further Read through. It does not touch the connection: what is left is for Drain.
func (b *Body) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	return nil
}

func (b *Body) setDeadline(at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.deadline(at)
}

// deadline needs the lock. Not every ResponseWriter has deadlines (a test's recorder has none): then there is no
// connection to wait for.
func (b *Body) deadline(at time.Time) {
	if !b.released {
		_ = b.control.SetReadDeadline(at)
	}
}
