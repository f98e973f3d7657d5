package writedeadline

import (
	"net/http/httptest"
	"testing"
	"time"
)

// writeDeadlines counts the deadlines that are set.
type writeDeadlines struct {
	*httptest.ResponseRecorder

	calls int
	last  time.Time
}

func (w *writeDeadlines) SetWriteDeadline(at time.Time) error {
	w.calls, w.last = w.calls+1, at
	return nil
}

func TestDeadlinesOfWrites(t *testing.T) {
	for major, between := range map[int]bool{1: true, 2: false} {
		w := &writeDeadlines{ResponseRecorder: httptest.NewRecorder()}
		r := httptest.NewRequest("GET", "/mcp", nil)
		r.ProtoMajor = major
		s := New(w, r, time.Minute)
		_, _ = s.Write([]byte("x"))
		if w.calls == 0 || !w.last.IsZero() != between {
			t.Errorf("HTTP/%d: between two writes the deadline is %v", major, w.last)
		}
		s.Shorten()
		_, _ = s.Write([]byte("x"))
		if left := time.Until(w.last); left <= 0 || left > final {
			t.Errorf("HTTP/%d: in a hurry there are %v", major, left)
		}
		s = New(w, r, time.Minute)
		s.Release()
		before := w.calls
		s.Shorten()
		if w.calls != before {
			t.Errorf("HTTP/%d: a request that has ended was hurried", major)
		}
	}
}
