package forward

import (
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/upstream"
)

// OnlyLong makes the Forwarder take the same way for all requests.
func (f *Forwarder) OnlyLong() *Forwarder {
	f.short = f.long
	return f
}

// Reusing makes the Forwarder reuse connections from the first.
func (f *Forwarder) Reusing(answerTimeout time.Duration) *Forwarder {
	f.short = upstream.NewPooled(answerTimeout, time.Minute)
	return f
}
