package body

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// drainBytes and drainTime bound what is read only to be thrown away. A body above both makes us hang up, and its sender
// may then see a reset; below them it sees our answer.
const (
	drainBytes = 64 << 20
	drainTime  = 5 * time.Second
)

// SkipDrain has Head and Drain wait for nothing that has not come yet.
func (b *Body) SkipDrain() { b.giveUp = 0 }

// Head is the remembered beginning. If nothing has been read yet, it is read now: for at most drainTime, as far as the
// account has room, and not at all if that would ask a waiting client to send. No Read gets anything afterwards.
func (b *Body) Head() []byte {
	b.mu.Lock()
	untouched := !b.begun && !b.reluctant
	b.begun = b.begun || untouched
	b.closed = b.closed || untouched
	b.mu.Unlock()
	if untouched {
		b.readHead()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	head := b.head
	if b.ahead != nil {
		head = b.ahead
	}
	return head[:min(len(head), HeadBytes):min(len(head), HeadBytes)]
}

func (b *Body) readHead() {
	b.setDeadline(time.Now().Add(b.giveUp))
	head, err := b.grow(nil, keptBytes)
	for ended := false; err == nil && !ended && len(head) < HeadBytes; {
		n, readErr := b.source.Read(head[len(head):min(cap(head), HeadBytes)])
		head = head[:len(head)+n]
		b.count(int64(n), readErr)
		ended = readErr != nil
		if len(head) == cap(head) {
			head, err = b.grow(head, min(2*int64(cap(head)), HeadBytes))
		}
	}
	b.setDeadline(time.Time{})
	b.mu.Lock()
	defer b.mu.Unlock()
	b.head = head
}

func (b *Body) count(n int64, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.read += n
	b.whole = b.whole || errors.Is(err, io.EOF)
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
		b.count(n, nil)
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
	_, _ = http.MaxBytesReader(innermost(b.writer), io.NopCloser(strings.NewReader("x")), 0).Read(make([]byte, 1))
}

// innermost is the writer that net/http made: MaxBytesReader does not look through others, unlike ResponseController.
func innermost(w http.ResponseWriter) http.ResponseWriter {
	for {
		wrapper, wraps := w.(interface{ Unwrap() http.ResponseWriter })
		if !wraps {
			return w
		}
		w = wrapper.Unwrap()
	}
}
