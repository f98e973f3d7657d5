// Package drain knows how the gate lets go of its clients: how many requests are in flight, and when streams must end
// because the pod does.
//
// It must not know why a pod ends, or how a stream is ended.
package drain

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Drain counts requests and holds the word that the pod is ending. The zero value is not usable; see New.
//
// A GET stream waits for messages that may never come, so nothing waits for it: it ends when new connections go to
// other pods. Any other request is somebody's work in progress and gets the time to finish.
type Drain struct {
	// These are without a lock: every request asks, and thousands that wait for each other keep their memory meanwhile.
	working atomic.Int64 // requests in flight, GET streams apart
	ending  atomic.Bool

	mu   sync.Mutex
	idle chan struct{} // closed when working becomes 0; nil while nobody waits for that

	listenersEnd chan struct{}
	requestsEnd  chan struct{}
}

// New gives a Drain of a pod that lives on.
func New() *Drain {
	d := &Drain{}
	d.reset()
	return d
}

func (d *Drain) reset() {
	d.ending.Store(false)
	d.listenersEnd, d.requestsEnd = make(chan struct{}), make(chan struct{})
}

// Enter counts a request until leave is called, once.
func (d *Drain) Enter(method string) (leave func()) {
	if method == http.MethodGet {
		return func() {}
	}
	d.working.Add(1)
	return func() {
		if d.working.Add(-1) == 0 {
			d.becameIdle()
		}
	}
}

func (d *Drain) becameIdle() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.idle != nil {
		close(d.idle)
		d.idle = nil
	}
}

// Idle waits until no request is in flight. It fails only with the context's error.
func (d *Drain) Idle(ctx context.Context) error {
	for {
		idle := d.nextIdle()
		if idle == nil {
			return nil
		}
		select {
		case <-idle:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// nextIdle is closed when no request is in flight; nil if none is.
func (d *Drain) nextIdle() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.working.Load() == 0 {
		return nil
	}
	if d.idle == nil {
		d.idle = make(chan struct{})
	}
	return d.idle
}

// Lingers is how long after its last stream had to end a pod that is ending may still exist: its containers take that long
// to exit. A gate that goes on for longer belongs to a pod that does not end.
const Lingers = time.Minute

// Terminate says that the pod is ending: GET streams end after listeners, all other streams after requests. While that
// stands, further calls are ignored. It stands until Lingers after the last stream had to end, and is then forgotten: the
// streams of a pod that goes on are as those of any other.
func (d *Drain) Terminate(listeners, requests time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ending.Load() {
		return
	}
	d.ending.Store(true)
	listenersEnd, requestsEnd := d.listenersEnd, d.requestsEnd
	time.AfterFunc(listeners, func() { close(listenersEnd) })
	time.AfterFunc(requests, func() { close(requestsEnd) })
	time.AfterFunc(max(listeners, requests)+Lingers, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.reset()
	})
}

// Ending reports whether Terminate was called and is not forgotten.
func (d *Drain) Ending() bool {
	return d.ending.Load()
}

// StreamsEnd is closed when a stream that began with this method must end.
func (d *Drain) StreamsEnd(method string) <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if method == http.MethodGet {
		return d.listenersEnd
	}
	return d.requestsEnd
}
