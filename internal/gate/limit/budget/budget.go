// Package budget bounds what requests in progress hold: how many there are of verified callers, in all and of each, and
// how many bytes of their bodies are kept. Bodies of callers who are not verified have a budget of their own, so that
// they never take room from those who are.
//
// It must not know what a request is, nor how a refusal is answered.
package budget

import (
	"errors"
	"sync"
)

// Why something is refused. The caller may try again when requests in progress have ended.
var (
	// ErrCaller: this caller has as much in progress as one caller may have.
	ErrCaller = errors.New("this caller has too much in progress")
	// ErrFull: all callers together have as much in progress as fits.
	ErrFull = errors.New("too much is in progress")
)

// Limits are those of one gate. All must be positive.
type Limits struct {
	// Waiting is how many connections may be open without a request of a verified caller in progress. Over HTTP/2 each
	// request of a caller who is not verified counts as one more.
	Waiting int
	// Requests is how many requests of verified callers may be in progress. One caller may have as many as are left.
	Requests int
	// Bytes is how much of their bodies may be kept, and CallerBytes the part that one caller may take.
	Bytes, CallerBytes int64
	// UnverifiedBytes is how much may be kept of bodies whose sender is not verified.
	UnverifiedBytes int64
}

const (
	// share is the part of the memory limit that each connection that waits, and each request in progress, stands for.
	// With TLS the one takes some 40 KiB, but 150 KiB while it receives a header of thousands of lines, and the other,
	// with its connection to the server, 60 to 150 KiB beside its body.
	share = 512 << 10
	// maxCount and maxBytes hold where memory has no limit.
	maxCount = 8192
	maxBytes = 256 << 20
)

// For returns the Limits of a gate whose container may use this much memory, in bytes; 0 is no limit. Of 256 MiB they
// are 512 connections and as many requests, 32 MiB of bodies (16 MiB of one caller), and 4 MiB of bodies of strangers.
func For(memory int64) Limits {
	count, bytes := int64(maxCount), int64(maxBytes)
	if memory > 0 {
		count, bytes = min(count, memory/share), min(bytes, memory/8)
	}
	return Limits{
		Waiting: int(count), Requests: int(count), Bytes: bytes, CallerBytes: bytes / 2, UnverifiedBytes: bytes / 8,
	}
}

// Budget counts what is in progress. C is what tells callers apart. It is safe for concurrent use.
type Budget[C comparable] struct {
	limits Limits

	mu              sync.Mutex
	requests        int
	bytes           int64
	unverifiedBytes int64
	callers         map[C]*usage
}

// usage is what one caller has in progress. It is kept only while there is something.
type usage struct {
	requests int
	bytes    int64
}

// New returns an empty Budget.
func New[C comparable](limits Limits) *Budget[C] {
	return &Budget[C]{limits: limits, callers: map[C]*usage{}}
}

// Requests returns how many requests of verified callers are in progress.
func (b *Budget[C]) Requests() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.requests
}

// Bytes returns how much of their bodies is kept.
func (b *Budget[C]) Bytes() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes
}
