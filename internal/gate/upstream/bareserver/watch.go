package bareserver

import (
	"context"
	"errors"
	"syscall"
	"time"
)

const (
	// glance is the time between two looks at a server.
	glance = 250 * time.Millisecond
	// resetWatch is how long a server that reset the question is watched: its end may take time.
	resetWatch = 5 * time.Second
	// answerWatch is how long one is watched that gave an answer which is neither a refusal nor a result. Later ends have
	// other causes too often.
	answerWatch = time.Second
)

// Watch looks at a server after it received a question, and returns what is known then: Exits in place of Resets or Unclear if it
// refuses a connection, and otherwise the result it was given. dial opens and closes a connection to the server.
//
// Only ECONNREFUSED counts. A connection that is not opened in time proves nothing: the server's backlog may be full, or
// the machine busy. A server that answered as a server does is not watched, as nothing connects its end with the question.
func Watch(ctx context.Context, asked Result, dial func(context.Context) error) Result {
	var long time.Duration
	switch asked {
	case Resets:
		long = resetWatch
	case Unclear:
		long = answerWatch
	default:
		return asked
	}
	ctx, cancel := context.WithTimeout(ctx, long)
	defer cancel()
	ticker := time.NewTicker(glance)
	defer ticker.Stop()
	for {
		if errors.Is(dial(ctx), syscall.ECONNREFUSED) {
			return Exits
		}
		select {
		case <-ctx.Done():
			return asked
		case <-ticker.C:
		}
	}
}
