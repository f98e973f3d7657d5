// Package audit writes down what the gate decided: one line of JSON per decision, also for what was allowed, apart from
// the log of the gate's own doings.
//
// It must not decide anything, and nobody waits for it: where its reader is too slow, lines are dropped and counted.
package audit

import (
	"context"
	"io"
	"sync"
	"time"
)

const (
	// flushBytes is how much is gathered before it is written; flushEvery, how long it may lie.
	flushBytes = 32 << 10
	flushEvery = time.Second
	// maxBytes bounds what waits for a reader that is too slow. As much again may be on its way.
	maxBytes = 256 << 10
	// maxUnverifiedBytes bounds what waits of requests without a valid token. It is beside maxBytes: however many strangers
	// come, they cost no line about a caller.
	maxUnverifiedBytes = 64 << 10
	// maxSummaryBytes is room for the summaries of one window, whatever strangers have written just before.
	maxSummaryBytes = (MaxSources + 1) << 10
	// lastChance is how long Close waits for it.
	lastChance = 2 * time.Second
)

// Log gathers lines and writes them from one goroutine. It is safe for concurrent use.
type Log struct {
	server string // a JSON string
	out    io.Writer
	full   chan struct{} // something should be written before its time

	mu      sync.Mutex
	waiting []byte
	// unverified is how many bytes of waiting are about requests without a valid token.
	unverified int
	// summaries is how many are about what was left out.
	summaries int
	lines     uint64 // in waiting
	spare     []byte // the buffer that is not in use
	dropped   uint64
}

// New makes a Log of one server, which Run has to write out.
func New(out io.Writer, server string) *Log {
	return &Log{
		server: string(appendString(nil, server, maxTextBytes)), out: out, full: make(chan struct{}, 1),
		waiting: make([]byte, 0, flushBytes+maxLineBytes), spare: make([]byte, 0, flushBytes+maxLineBytes),
	}
}

// Write adds a line. It never waits for the reader.
func (l *Log) Write(r Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	used, limit := len(l.waiting)-l.unverified-l.summaries, maxBytes
	of := new(int)
	if r.Provider == "" {
		used, limit, of = l.unverified, maxUnverifiedBytes, &l.unverified
	}
	l.write(used, limit, of, func(b []byte) []byte { return r.append(b, l.server) })
}

// WriteSummary adds a line on what was left out. It never waits for the reader.
func (l *Log) WriteSummary(s Summary) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.write(l.summaries, maxSummaryBytes+maxLineBytes, &l.summaries, func(b []byte) []byte { return s.append(b, l.server) })
}

// write adds a line if it fits beside what is used, and counts it in of.
func (l *Log) write(used, limit int, of *int, appendLine func([]byte) []byte) {
	if used+maxLineBytes > limit {
		l.dropped++
		return
	}
	before := len(l.waiting)
	l.waiting = appendLine(l.waiting)
	*of += len(l.waiting) - before
	l.lines++
	if len(l.waiting) < flushBytes {
		return
	}
	select {
	case l.full <- struct{}{}:
	default: // It was said already.
	}
}

// Dropped is how many lines were lost so far, because their reader was too slow or gone.
func (l *Log) Dropped() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dropped
}

// Run writes until ctx is done, and then what is left. If the reader does not take that within two seconds, Run
// returns all the same: the process must be able to end.
func (l *Log) Run(ctx context.Context) {
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		l.writeUntil(ctx.Done())
	}()
	<-ctx.Done()
	select {
	case <-stopped:
	case <-time.After(lastChance):
	}
}

func (l *Log) writeUntil(done <-chan struct{}) {
	ticker := time.NewTicker(flushEvery)
	defer ticker.Stop()
	for {
		select {
		case <-done:
			l.flush()
			return
		case <-l.full:
		case <-ticker.C:
		}
		l.flush()
	}
}

// flush writes what waits. Lines that come meanwhile go into the other buffer.
func (l *Log) flush() {
	l.mu.Lock()
	data, lines := l.waiting, l.lines
	l.waiting, l.unverified, l.summaries, l.lines, l.spare = l.spare[:0], 0, 0, 0, nil
	l.mu.Unlock()
	var err error
	if len(data) > 0 {
		_, err = l.out.Write(data)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.spare = data
	if err != nil {
		l.dropped += lines
	}
}
