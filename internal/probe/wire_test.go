package probe

import (
	"io"
	"syscall"
	"testing"
)

// A network that fails in the middle of an answer is no proof that something else than HTTP is spoken.
func TestFailuresAmidAnAnswer(t *testing.T) {
	for _, c := range []struct {
		failure error
		want    Outcome
	}{
		{syscall.ETIMEDOUT, Timeout}, {syscall.EHOSTUNREACH, NoRoute}, {syscall.ECONNRESET, Reset}, {io.EOF, Truncated}, {nil, NotHTTP},
	} {
		seen := evidence{connected: true, received: 20, first: []byte("HTTP/"), failure: c.failure}
		if got := seen.connOutcome(); got != c.want {
			t.Errorf("%v: got %s, want %s", c.failure, got, c.want)
		}
	}
}
