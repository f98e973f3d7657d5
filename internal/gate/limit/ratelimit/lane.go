package ratelimit

import (
	"context"
	"sync"
	"time"
)

// slowLane lets in one at a time. Sources that wait have their turns one after the other, each as many as its weight, so
// none waits longer for it that another sends more.
type slowLane struct {
	mu    sync.Mutex
	busy  bool
	byKey map[[16]byte]*queue
	turns []*queue // those with somebody in them, the next first
}

// queue is who waits of one source, in the order of their coming.
type queue struct {
	key     [16]byte
	weight  int
	served  int // in this turn
	waiting []*waiter
}

type waiter struct {
	turn chan struct{} // closed when it is in
	gone bool
}

func newSlowLane() slowLane { return slowLane{byKey: map[[16]byte]*queue{}} }

// enter waits for its turn, at most for patience unless that is 0, and while ctx lasts.
func (l *slowLane) enter(ctx context.Context, key [16]byte, weight int, patience time.Duration) (leave func(), ok bool) {
	l.mu.Lock()
	if !l.busy {
		l.busy = true
		l.mu.Unlock()
		return l.leave, true
	}
	w := l.line(key, weight)
	l.mu.Unlock()
	var late <-chan time.Time
	if patience > 0 {
		timer := time.NewTimer(patience)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-w.turn:
		return l.leave, true
	case <-late:
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-w.turn: // It came at the last moment.
		return l.leave, true
	default:
		w.gone = true
		return nil, false
	}
}

// line puts somebody at the end of its source's queue.
func (l *slowLane) line(key [16]byte, weight int) *waiter {
	q := l.byKey[key]
	if q == nil {
		q = &queue{key: key}
		l.byKey[key] = q
		l.turns = append(l.turns, q)
	}
	q.weight = weight
	w := &waiter{turn: make(chan struct{})}
	q.waiting = append(q.waiting, w)
	return w
}

// leave lets the next one in.
func (l *slowLane) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := l.next()
	l.busy = next != nil
	if next != nil {
		close(next.turn)
	}
}

// next takes out who is to come in, and those who have gone before.
func (l *slowLane) next() *waiter {
	for len(l.turns) > 0 {
		q := l.turns[0]
		w := q.waiting[0]
		q.waiting[0] = nil
		q.waiting = q.waiting[1:]
		if !w.gone {
			q.served++
		}
		switch {
		case len(q.waiting) == 0:
			l.turns = l.turns[1:]
			delete(l.byKey, q.key)
		case q.served >= q.weight:
			q.served = 0
			l.turns = append(l.turns[1:], q)
		}
		if !w.gone {
			return w
		}
	}
	return nil
}
