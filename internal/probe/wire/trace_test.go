package wire

import (
	"io"
	"syscall"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// A network that fails in the middle of an answer is no proof that something else than HTTP is spoken.
func TestFailuresAmidAnAnswer(t *testing.T) {
	for _, c := range []struct {
		failure error
		want    probe.Outcome
	}{
		{syscall.ETIMEDOUT, probe.Timeout}, {syscall.EHOSTUNREACH, probe.NoRoute}, {syscall.ECONNRESET, probe.Reset}, {io.EOF, probe.Truncated}, {nil, probe.NotHTTP},
	} {
		seen := trace{connected: true, received: 20, first: []byte("HTTP/"), failure: c.failure}
		if got := seen.connOutcome(); got != c.want {
			t.Errorf("%v: got %s, want %s", c.failure, got, c.want)
		}
	}
}
