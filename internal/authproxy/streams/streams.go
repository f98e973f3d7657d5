// Package streams keeps the streams that are open, so that each can be judged again when the rules change, and so that
// nobody has more of them than one may have.
//
// It must not know how a token is judged, nor how a stream is ended.
package streams

import (
	"sync"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/session"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/snapshot"
)

// Stream is one that is about to open.
type Stream struct {
	Caller session.Caller
	// JudgedBy is the snapshot under which the caller got in, Judge the same judgement under another.
	JudgedBy *snapshot.Snapshot
	Judge    func(*snapshot.Snapshot) *deny.Denial
	// Refused ends the stream; the denial says why. It may be called more than once, also after the end.
	Refused func(*deny.Denial)
}

// Registry of open streams. It is safe for concurrent use.
type Registry struct {
	current func() *snapshot.Snapshot

	mu       sync.Mutex
	open     map[*Stream]bool
	byCaller map[session.Caller]int
}

// New makes an empty Registry; current gives the snapshot in force.
func New(current func() *snapshot.Snapshot) *Registry {
	return &Registry{current: current, open: map[*Stream]bool{}, byCaller: map[session.Caller]int{}}
}

// Open enters a stream until over is called, once. If the caller has limit streams already, it does not, and ok is
// false; a limit of 0 is none.
func (r *Registry) Open(s Stream, limit int) (over func(), ok bool) {
	r.mu.Lock()
	if limit > 0 && r.byCaller[s.Caller] >= limit {
		r.mu.Unlock()
		return nil, false
	}
	r.open[&s] = true
	r.byCaller[s.Caller]++
	r.mu.Unlock()
	// If the rules changed between the caller's judgement and now, Judge may have run without seeing this stream.
	if current := r.current(); current != s.JudgedBy {
		s.judge(current)
	}
	return func() { r.close(&s) }, true
}

func (r *Registry) close(s *Stream) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.open, s)
	r.byCaller[s.Caller]--
	if r.byCaller[s.Caller] == 0 {
		delete(r.byCaller, s.Caller)
	}
}

// Full tells whether the caller has limit streams open.
func (r *Registry) Full(caller session.Caller, limit int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return limit > 0 && r.byCaller[caller] >= limit
}

// Count of open streams.
func (r *Registry) Count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.open)
}

// Judge judges every open stream by the snapshot in force, which must be so already: a stream that opens meanwhile
// sees it or is seen. To be called after each change.
func (r *Registry) Judge() {
	current := r.current()
	for _, s := range r.list() {
		s.judge(current)
	}
}

// list: judging takes long, and new streams must not wait for it.
func (r *Registry) list() []*Stream {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]*Stream, 0, len(r.open))
	for s := range r.open {
		list = append(list, s)
	}
	return list
}

func (s *Stream) judge(current *snapshot.Snapshot) {
	if denial := s.Judge(current); denial != nil {
		s.Refused(denial)
	}
}
