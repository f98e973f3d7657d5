// Package body bounds a request body: how long it may be, how slowly it may come, and how much of it is taken in after
// the answer is decided. It remembers the beginning, so that an answer of the gate's own can echo the request's id.
//
// It must not know what a body means.
package body

import (
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// HeadBytes is how much of the beginning is remembered.
	HeadBytes = 64 << 10
	// Stall is the longest pause in a body that is being forwarded.
	Stall = 60 * time.Second
	// drainBytes and drainTime bound what is read only to be thrown away. A body above both makes us hang up, and
	// its sender may then see a reset; below them it sees our answer.
	drainBytes = 64 << 20
	drainTime  = 5 * time.Second
)

// What a Read of a Body may fail with, beside io.EOF and what the connection says.
var (
	ErrTooLarge = errors.New("the request body is longer than the limit")
	ErrStalled  = errors.New("the request body stopped arriving")
	errClosed   = errors.New("the request body is closed")
)

// Body is the body of a request in progress. Read may run beside the other methods.
type Body struct {
	source  io.Reader
	writer  http.ResponseWriter
	control *http.ResponseController
	stall   time.Duration
	// sticky: over HTTP/2 a deadline that passes between two reads breaks the body for good.
	sticky bool
	// giveUp is drainTime, but after Hurry and in tests.
	giveUp time.Duration
	// reluctant: the client waits for "100 Continue", which reading would send (RFC 9110 section 10.1.1).
	reluctant bool

	// declared is the Content-Length; negative if there is none.
	declared int64
	// ahead is what Prefetch has read and Read has not given yet. It belongs to their caller.
	ahead []byte

	mu      sync.Mutex
	left    int64
	read    int64 // all that came, also what was thrown away
	head    []byte
	begun   bool
	whole   bool // its end was seen
	closed  bool
	drained bool
	// released: the connection is no longer this request's.
	released bool
	err      error
}

// Of takes over the body of r; limit is in bytes.
func Of(w http.ResponseWriter, r *http.Request, limit int64) *Body {
	b := &Body{
		source: r.Body, writer: w, control: http.NewResponseController(w), stall: Stall, giveUp: drainTime, left: limit,
		sticky: r.ProtoMajor >= 2, reluctant: r.Header.Get("Expect") != "", declared: r.ContentLength,
	}
	b.whole = r.Body == nil || r.Body == http.NoBody
	if r.ContentLength > limit {
		b.err = ErrTooLarge
	}
	return b
}

// Err tells why the body could not be read to its end, as far as that has shown: ErrTooLarge (also before the first
// Read, if the length was declared), ErrStalled, or the connection's error.
func (b *Body) Err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

// Prefetch reads ahead, under the same limits as Read, for somebody who must see a body before it is forwarded; Read gives
// it again. whole tells that ahead is all of the body; otherwise the body is longer than longest bytes, and ahead begins
// it. What an earlier Prefetch has read is given again, even if it is longer. Prefetch must not be called beside Read, nor
// after it. The error is what Err tells from then on.
func (b *Body) Prefetch(longest int64) (ahead []byte, whole bool, err error) {
	if whole := b.Whole(); whole || int64(len(b.ahead)) > longest {
		return b.ahead, whole, nil
	}
	guess := int64(4 << 10)
	if b.declared >= 0 {
		guess = b.declared
	}
	most := longest + 1 // One byte more shows the end of a body of just that length.
	buffer := append(make([]byte, 0, min(guess+1, most)), b.ahead...)
	b.ahead = nil
	for !b.Whole() && int64(len(buffer)) < most {
		if len(buffer) == cap(buffer) {
			buffer = slices.Grow(buffer, len(buffer))
		}
		n, err := b.Read(buffer[len(buffer):min(int64(cap(buffer)), most)])
		buffer = buffer[:len(buffer)+n]
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, false, err
		}
	}
	b.ahead = buffer
	return b.ahead, b.Whole(), nil
}

// Whole tells that the end of the body has been read from the client.
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

func (b *Body) count(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.read += n
}

// Read implements io.Reader under the limits. Every Read must make progress within Stall.
func (b *Body) Read(p []byte) (int, error) {
	if len(b.ahead) > 0 {
		n := copy(p, b.ahead)
		b.ahead = b.ahead[n:]
		return n, nil
	}
	if err := b.begin(); err != nil {
		return 0, err
	}
	b.setDeadline(time.Now().Add(b.stall))
	n, err := b.source.Read(p)
	return b.note(p[:n], err)
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

func (b *Body) note(p []byte, err error) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left -= int64(len(p))
	b.read += int64(len(p))
	if b.left < 0 {
		b.err = ErrTooLarge
		return 0, b.err
	}
	if room := HeadBytes - len(b.head); room > 0 {
		b.head = append(b.head, p[:min(room, len(p))]...)
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
		b.err = ErrStalled
		err = b.err
	default:
		b.err = err
	}
	return len(p), err
}

// Release is for the end of the request: what a Read does that is still under way, for a server that did not wait for
// all of the body, no longer concerns the connection, which may have gone on to another request by then.
func (b *Body) Release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed, b.released = true, true
}

func (b *Body) setDeadline(at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.deadline(at)
}

// deadline needs the lock. Not every ResponseWriter has deadlines (a test's recorder has none): then there is no
// connection to stall.
func (b *Body) deadline(at time.Time) {
	if !b.released {
		_ = b.control.SetReadDeadline(at)
	}
}

// Close lets no further Read through. It does not touch the connection: what is left is for Drain.
func (b *Body) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	return nil
}

// Hurry has Head and Drain wait for nothing that has not come yet.
func (b *Body) Hurry() { b.giveUp = 0 }

// Head is the remembered beginning. If nothing has been read yet, it is read now, for at most drainTime, unless that
// would ask a waiting client to send; and no Read gets anything afterwards.
func (b *Body) Head() []byte {
	b.mu.Lock()
	untouched := !b.begun && !b.reluctant
	b.begun = b.begun || untouched
	b.closed = b.closed || untouched
	b.mu.Unlock()
	if untouched {
		b.setDeadline(time.Now().Add(b.giveUp))
		buffer := make([]byte, 4<<10)
		for ended := false; len(b.head) < HeadBytes && !ended; {
			n, err := b.source.Read(buffer)
			b.head = append(b.head, buffer[:n]...)
			b.count(int64(n))
			ended, b.whole = err != nil, errors.Is(err, io.EOF)
		}
		b.setDeadline(time.Time{})
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.head[:min(len(b.head), HeadBytes):min(len(b.head), HeadBytes)]
}

// Drain takes in the rest and throws it away, within drainBytes and drainTime; only the first call does. Where the end
// does not come, the connection ends with the answer: the next bytes on it could be the rest of this body or another
// request, and nobody can tell which (RFC 9112 section 9.3).
func (b *Body) Drain() {
	b.mu.Lock()
	settled := b.whole || b.drained
	wanted := b.begun || !b.reluctant
	b.closed, b.drained = true, true
	b.mu.Unlock()
	if settled {
		return
	}
	if wanted {
		b.setDeadline(time.Now().Add(b.giveUp))
		n, err := io.CopyN(io.Discard, b.source, drainBytes)
		b.count(n)
		if errors.Is(err, io.EOF) {
			b.setDeadline(time.Time{})
			return
		}
	}
	b.hangUp()
}

// hangUp has the connection closed behind the answer, also when its header is written already.
func (b *Body) hangUp() {
	// net/http looks for the end of the body once more, and would wait for it without a limit.
	b.setDeadline(time.Unix(1, 0))
	// A MaxBytesReader over its limit tells the server to close the connection; no other call does so that late.
	_, _ = http.MaxBytesReader(b.writer, io.NopCloser(strings.NewReader("x")), 0).Read(make([]byte, 1))
}
