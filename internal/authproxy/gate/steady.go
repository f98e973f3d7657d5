package gate

import (
	"net/http"
	"sync"
	"time"
)

const (
	// writePatience is how long a write may wait for a client that has stopped reading. There is no limit on an answer
	// as a whole: streams last for hours.
	writePatience = 60 * time.Second
	// strangerPatience is what is granted to whoever is not verified: what they get fits into any buffer.
	strangerPatience = 5 * time.Second
	// hurryPatience is what is left of that when a stream has to end: its client may still be told why.
	hurryPatience = 2 * time.Second
)

// steady cuts off a client that stops reading: every write must be done within the patience. Otherwise such clients
// would hold connections of the server for as long as they like.
type steady struct {
	http.ResponseWriter

	control  *http.ResponseController
	patience time.Duration
	// perWrite: over HTTP/2 a deadline that passes ends the stream, also while nothing is being written.
	perWrite bool

	mu       sync.Mutex
	deadline time.Time
	hurried  bool
	released bool
}

func newSteady(w http.ResponseWriter, r *http.Request, patience time.Duration) *steady {
	return &steady{ResponseWriter: w, control: http.NewResponseController(w), patience: patience, perWrite: r.ProtoMajor >= 2}
}

// Write implements http.ResponseWriter.
func (s *steady) Write(p []byte) (int, error) {
	s.renew()
	defer s.rest()
	return s.ResponseWriter.Write(p)
}

// FlushError is what http.ResponseController looks for.
func (s *steady) FlushError() error {
	s.renew()
	defer s.rest()
	return s.control.Flush()
}

// Unwrap lets http.ResponseController reach the connection.
func (s *steady) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// renew gives the next write its time, of which a tenth may have passed: not every write is worth a system timer.
// net/http takes the deadline away when the answer is complete.
func (s *steady) renew() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.hurried || s.deadline.Sub(now) > s.patience-s.patience/10 {
		return
	}
	s.set(now.Add(s.patience))
}

// rest takes the deadline away between two writes, where it would do harm.
func (s *steady) rest() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.perWrite && !s.hurried {
		s.set(time.Time{})
	}
}

// release is for the end of the request: whoever hurries it from then on is late. net/http's ResponseWriter for HTTP/2
// panics if it is still told of deadlines, and for HTTP/1.1 they would be those of the connection's next request.
func (s *steady) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.released = true
}

// trust grants the patience for verified callers from the next write on.
func (s *steady) trust(patience time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.patience = patience
}

// hurry leaves little time for all that is still to be written.
func (s *steady) hurry() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hurried {
		return
	}
	s.hurried = true
	s.set(time.Now().Add(min(hurryPatience, s.patience)))
}

func (s *steady) set(deadline time.Time) {
	if s.released {
		return
	}
	s.deadline = deadline
	// Not every ResponseWriter has deadlines (a test's recorder has none): then nobody can stop reading.
	_ = s.control.SetWriteDeadline(deadline)
}
