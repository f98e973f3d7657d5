//go:build soak

package soak

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// userStream is an open stream of somebody.
type userStream struct {
	question question
	// over is closed when it has ended; problem and ended are set then.
	over    chan struct{}
	problem string // an event that is not the next one of this caller
	ended   time.Time
	stop    context.CancelFunc
}

// listen opens a stream and reads it until it ends.
func listen(ctx context.Context, client *caller, q question) (*userStream, error) {
	ctx, stop := context.WithCancel(ctx)
	response, err := client.request(ctx, http.MethodGet, q.bearer, http.NoBody)
	if err == nil && response.StatusCode != http.StatusOK {
		raw, _ := io.ReadAll(response.Body)
		err = fmt.Errorf("no stream, but %s", verdictOf(response.StatusCode, raw))
	}
	if err != nil {
		stop()
		return nil, err
	}
	s := &userStream{question: q, over: make(chan struct{}), stop: stop}
	go func() {
		defer close(s.over)
		defer response.Body.Close()
		s.problem = readEvents(response.Body, q.sub)
		s.ended = time.Now()
	}()
	return s, nil
}

// readEvents reads to the end, and tells of the first event that is not as the server sends them.
func readEvents(body io.Reader, subject string) (problem string) {
	lines := bufio.NewScanner(body)
	for next := 0; lines.Scan(); {
		text, isEvent := strings.CutPrefix(lines.Text(), "data: ")
		if !isEvent {
			continue
		}
		if want := fmt.Sprintf("%s %d", subject, next); text != want && problem == "" {
			problem = fmt.Sprintf("event %q instead of %q", text, want)
		}
		next++
	}
	return problem
}

func (s *userStream) isOver() bool {
	select {
	case <-s.over:
		return true
	default:
		return false
	}
}
