package body

import (
	"errors"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
)

// lateReader tells that it is read, and waits until it may answer.
type lateReader struct{ asked, end chan struct{} }

func (l lateReader) Read([]byte) (int, error) {
	l.asked <- struct{}{}
	<-l.end
	return 0, io.EOF
}

// After the end of its request net/http's ResponseWriter for HTTP/2 panics, and the one for HTTP/1.1 would change the
// deadline of the connection's next request.
func TestReadThatOutlivesTheRequestLeavesTheConnectionAlone(t *testing.T) {
	w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	source := lateReader{make(chan struct{}), make(chan struct{})}
	b := Of(w, httptest.NewRequest("POST", "/mcp", source), 10)
	ended := make(chan error)
	go func() {
		_, err := b.Read(make([]byte, 1))
		ended <- err
	}()
	<-source.asked
	b.Release()
	before := w.calls
	close(source.end)
	if err := <-ended; !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	if w.calls != before {
		t.Error("a deadline was set")
	}
	if _, err := b.Read(make([]byte, 1)); err == nil || w.calls != before {
		t.Errorf("it can still be read: %v", err)
	}
}

// A server that takes a pause in reading must not cost the rest of the body.
func TestNoDeadlineRunsBetweenReadsOverHTTP2(t *testing.T) {
	for major, want := range map[int]bool{1: true, 2: false} {
		w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
		r := httptest.NewRequest("POST", "/mcp", strings.NewReader("{}"))
		r.ProtoMajor = major
		if _, err := Of(w, r, 10).Read(make([]byte, 1)); err != nil || w.runs != want {
			t.Errorf("HTTP/%d: a deadline runs: %t, %v", major, w.runs, err)
		}
	}
}
