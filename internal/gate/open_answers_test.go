package gate_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// endless answers in pieces that are no stream of events, and never ends.
func endless(t *testing.T, mediaType string) (*site, *fakeClock) {
	t.Helper()
	s := prepareSite(t, serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", mediaType)
		_, _ = io.WriteString(w, sseEvent)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	c := &fakeClock{now: time.Now()}
	s.start(withClock(c))
	return s, c
}

// wantBroken reads to the end, which must be seen to be none of the server's.
func wantBroken(t *testing.T, response *http.Response) {
	t.Helper()
	rest, err := io.ReadAll(response.Body)
	if !strings.HasPrefix(string(rest), sseEvent) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %q, %v; want an end that is seen to be one", rest, err)
	}
}

// A timer does not see a clock that jumps, nor a machine that slept.
func TestClockThatJumpsBehindTheToken_EndsOpenAnswers(t *testing.T) {
	for _, mediaType := range []string{"text/event-stream", "application/json", "application/x-ndjson", ""} {
		t.Run(mediaType, func(t *testing.T) {
			s, c := endless(t, mediaType)
			response := s.stream(http.MethodPost, s.token())
			c.advance(time.Hour)
			wantBroken(t, response)
		})
	}
}

func TestRevokedCaller_LosesAnswersThatAreNoStreams(t *testing.T) {
	s, _ := endless(t, "application/json")
	revoked, kept := s.stream(http.MethodPost, s.as("alice")), s.stream(http.MethodPost, s.as("bob"))
	s.write(s.dirs.keys, gateapi.RevokedFile, []byte("sub:alice\n"))
	wantBroken(t, revoked)
	if _, err := io.ReadFull(kept.Body, make([]byte, len(sseEvent))); err != nil {
		t.Errorf("the other caller's answer: %v", err)
	}
	if open := s.scraped("gatehouse_gate_streams_open"); open != 0 {
		t.Errorf("%v answers count as streams", open)
	}
}
