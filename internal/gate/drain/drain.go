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

	// The streams of GET requests, and all others, have to end.
	listenersOver, requestsOver atomic.Bool
	end                         func(listeners bool)

	mu   sync.Mutex
	idle chan struct{} // closed when working becomes 0; nil while nobody waits for that
}

// New returns a Drain of a pod that lives on. end is called when the streams of GET requests (listeners), or all others,
// have to end; those that open later have to ask StreamsEnd.
func New(end func(listeners bool)) *Drain {
	return &Drain{end: end}
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
	if !d.ending.CompareAndSwap(false, true) {
		return
	}
	time.AfterFunc(listeners, func() {
		d.listenersOver.Store(true)
		d.end(true)
	})
	time.AfterFunc(requests, func() {
		d.requestsOver.Store(true)
		d.end(false)
	})
	time.AfterFunc(max(listeners, requests)+Lingers, d.forget)
}

func (d *Drain) forget() {
	d.listenersOver.Store(false)
	d.requestsOver.Store(false)
	d.ending.Store(false)
}

// Ending reports whether Terminate was called and is not forgotten.
func (d *Drain) Ending() bool {
	return d.ending.Load()
}

// StreamsEnd reports whether a stream that opens now, for a request with this method, has to end at once.
func (d *Drain) StreamsEnd(method string) bool {
	if method == http.MethodGet {
		return d.listenersOver.Load()
	}
	return d.requestsOver.Load()
}
