// Package streams keeps the answers that are open, so that each can be judged again when the rules change and ended when
// its time has come, and so that nobody has more streams than one may have.
//
// It must not know how a token is judged, nor how an answer is ended.
package streams

import (
	"sync"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/session"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/source/snapshot"
)

// Stream is an answer that is about to open.
type Stream struct {
	Caller session.Caller
	// Standing: the caller asked for nothing but the stream, which may be idle for hours.
	Standing bool
	// Ends is when it ends at the latest.
	Ends time.Time
	// JudgedBy is the snapshot under which the caller got in.
	JudgedBy *snapshot.Snapshot
	Answer   Answer
}

// Answer judges its caller again, and ends. Expire, Drain and Refuse may be called more than once, also after its end.
type Answer interface {
	// Identify judges the caller by another snapshot, and Authorize what the caller asked. Authorize may cost more, and
	// is called only if the rules are others.
	Identify(*snapshot.Snapshot) *deny.Denial
	Authorize(*snapshot.Snapshot) *deny.Denial
	// Refuse ends the answer; the denial says why.
	Refuse(*deny.Denial)
	// Expire ends it at Stream.Ends, by the time of the clock, which may have jumped.
	Expire()
	// Drain ends it because the pod ends, if it is a stream.
	Drain()
}

// Registry of open answers. It is safe for concurrent use.
type Registry struct {
	current func() *snapshot.Snapshot
	most    int

	mu       sync.Mutex
	open     map[*Stream]struct{}
	all      count
	byCaller map[session.Caller]count
}

// count is how many open answers are streams, and how many of them stand.
type count struct{ streams, standing int }

func (c count) plus(s Stream, n int) count {
	c.streams += n
	if s.Standing {
		c.standing += n
	}
	return c
}

// New returns an empty Registry for at most this many standing streams, of all callers; current returns the snapshot in force.
func New(current func() *snapshot.Snapshot, most int) *Registry {
	return &Registry{current: current, most: most, open: map[*Stream]struct{}{}, byCaller: map[session.Caller]count{}}
}

// Open enters a stream until over is called, once; or it returns deny.TooManyStreams or deny.Overloaded, as Full does.
func (r *Registry) Open(s Stream, limit int) (over func(), full *deny.Denial) {
	r.mu.Lock()
	if full := r.full(s.Caller, limit, s.Standing); full != nil {
		r.mu.Unlock()
		return nil, full
	}
	r.open[&s] = struct{}{}
	r.count(s, 1)
	r.mu.Unlock()
	r.judgeNew(&s)
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.open, &s)
		r.count(s, -1)
	}, nil
}

// count needs the lock.
func (r *Registry) count(s Stream, n int) {
	r.all = r.all.plus(s, n)
	r.byCaller[s.Caller] = r.byCaller[s.Caller].plus(s, n)
	if r.byCaller[s.Caller].streams == 0 {
		delete(r.byCaller, s.Caller)
	}
}

// Watch enters an answer that is no stream and takes its time all the same. It counts for no limit.
func (r *Registry) Watch(s Stream) (over func()) {
	r.mu.Lock()
	r.open[&s] = struct{}{}
	r.mu.Unlock()
	r.judgeNew(&s)
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.open, &s)
	}
}

// judgeNew is for what changed between the caller's judgement and now: Judge may have run without seeing this stream.
func (r *Registry) judgeNew(s *Stream) {
	if current := r.current(); current != s.JudgedBy {
		s.identify(current)
		s.authorize(current)
	}
}

// Full returns deny.TooManyStreams if the caller has limit streams open (0 is no limit) or, for a standing one, has as
// many of these as are still free; deny.Overloaded for a standing one if all callers together have as many as there may be; and else nil.
func (r *Registry) Full(caller session.Caller, limit int, standing bool) *deny.Denial {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.full(caller, limit, standing)
}

// full needs the lock.
func (r *Registry) full(caller session.Caller, limit int, standing bool) *deny.Denial {
	mine, free := r.byCaller[caller], r.most-r.all.standing
	switch {
	case limit > 0 && mine.streams >= limit:
		return deny.TooManyStreams()
	case standing && free <= 0:
		return deny.Overloaded()
	case standing && mine.standing > 0 && mine.standing >= free:
		return deny.TooManyStreams()
	default:
		return nil
	}
}

// Count returns the number of open streams.
func (r *Registry) Count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all.streams
}

// Judge judges every open answer by the snapshot in force, which must be so already: one that opens meanwhile sees it or
// is seen. To be called after each change. Callers come first: however much some have asked for, who was revoked is out
// before what the others asked is looked at.
func (r *Registry) Judge() {
	current, all := r.current(), r.list()
	for _, s := range all {
		s.identify(current)
	}
	for _, s := range all {
		s.authorize(current)
	}
}

// Expire ends the answers whose time has come by this clock. Timers do not see a clock that jumps, nor a machine that
// slept.
func (r *Registry) Expire(now time.Time) {
	now = now.Round(0)
	for _, s := range r.list() {
		if !now.Before(s.Ends.Round(0)) {
			s.Answer.Expire()
		}
	}
}

// Drain drains the answers to those who asked for nothing else, or all others.
func (r *Registry) Drain(standing bool) {
	for _, s := range r.list() {
		if s.Standing == standing {
			s.Answer.Drain()
		}
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

func (s *Stream) identify(current *snapshot.Snapshot) {
	if denial := s.Answer.Identify(current); denial != nil {
		s.Answer.Refuse(denial)
	}
}

func (s *Stream) authorize(current *snapshot.Snapshot) {
	if s.JudgedBy.SameRules(current) {
		return
	}
	if denial := s.Answer.Authorize(current); denial != nil {
		s.Answer.Refuse(denial)
	}
}
