// Package writedeadline cuts off clients that stop reading what they are sent.
//
// It must not know what is written, nor to whom.
package writedeadline

import (
	"net/http"
	"sync"
	"time"
)

const (
	// Default is how long a write may wait for a client that has stopped reading. There is no limit on an answer
	// as a whole: streams last for hours.
	Default = 60 * time.Second
	// Unverified is what is granted to whoever is not verified: what they get fits into any buffer.
	Unverified = 5 * time.Second
	// final is what is left of that when a stream has to end: its client may still be told why.
	final = 2 * time.Second
)

// Writer cuts off a client that stops reading: every write must be done within the patience. Otherwise such clients
// would hold connections of the server for as long as they like.
type Writer struct {
	http.ResponseWriter

	control  *http.ResponseController
	patience time.Duration
	// perWrite: over HTTP/2 a deadline that passes ends the stream, also while nothing is being written.
	perWrite bool

	mu        sync.Mutex
	deadline  time.Time
	shortened bool
	released  bool
}

// New returns a Writer whose client may leave each write unread for the patience.
func New(w http.ResponseWriter, r *http.Request, patience time.Duration) *Writer {
	return &Writer{ResponseWriter: w, control: http.NewResponseController(w), patience: patience, perWrite: r.ProtoMajor >= 2}
}

// Write implements http.ResponseWriter.
func (s *Writer) Write(p []byte) (int, error) {
	s.Extend()
	defer s.clear()
	return s.ResponseWriter.Write(p)
}

// FlushError is what http.ResponseController looks for.
func (s *Writer) FlushError() error {
	s.Extend()
	defer s.clear()
	return s.control.Flush()
}

// Unwrap lets http.ResponseController reach the connection.
func (s *Writer) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// Extend gives the next write its time, of which a tenth may have passed: not every write is worth a system timer.
// net/http takes the deadline away when the answer is complete.
func (s *Writer) Extend() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.shortened || s.deadline.Sub(now) > s.patience-s.patience/10 {
		return
	}
	s.set(now.Add(s.patience))
}

// clear takes the deadline away between two writes, where it would do harm.
func (s *Writer) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.perWrite && !s.shortened {
		s.set(time.Time{})
	}
}

// Release is for the end of the request: whoever shortens the deadline from then on is late. net/http's ResponseWriter for HTTP/2
// panics if it is still told of deadlines, and for HTTP/1.1 they would be those of the connection's next request.
func (s *Writer) Release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.released = true
}

// SetPatience grants another patience from the next write on.
func (s *Writer) SetPatience(patience time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.patience = patience
}

// Shorten leaves little time for all that is still to be written.
func (s *Writer) Shorten() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shortened {
		return
	}
	s.shortened = true
	s.set(time.Now().Add(min(final, s.patience)))
}

func (s *Writer) set(deadline time.Time) {
	if s.released {
		return
	}
	s.deadline = deadline
	// Not every ResponseWriter has deadlines (a test's recorder has none): then nobody can stop reading.
	_ = s.control.SetWriteDeadline(deadline)
}
