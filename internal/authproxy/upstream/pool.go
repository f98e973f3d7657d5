package upstream

import (
	"context"
	"slices"
	"sync"
	"time"
)

const (
	// maxIdle is how long a connection waits for its next exchange. A server may close it at the very moment we write,
	// and the request is lost; so we do not come near any time after which servers close. Under load, when reuse pays,
	// the next request comes within a millisecond.
	maxIdle = 20 * time.Millisecond
	// distrust is how long nothing is reused after a server closed a connection that had not even waited for maxIdle,
	// or spoke on it unasked.
	distrust = time.Minute
)

// pool keeps the connections that wait. The zero value is ready for use.
type pool struct {
	mu       sync.Mutex
	idle     []*link // the last one waits the shortest
	sweeping bool
	// distrusted is until when the server is.
	distrusted time.Time
}

// take gives a connection that has just been seen to be quiet, or a new one.
func (p *pool) take(ctx context.Context, address string, trail *Trail) (*link, error) {
	for l := p.pop(); l != nil; l = p.pop() {
		switch {
		case l.address != address || time.Since(l.idleSince) > maxIdle:
			l.abort()
		case !l.isQuiet():
			l.abort()
			p.distrust()
		default:
			trail.reused = true
			l.trail = trail
			return l, nil
		}
	}
	conn, err := dial(ctx, address, trail)
	if err != nil {
		return nil, err
	}
	l, err := newLink(conn, address, trail)
	if err != nil {
		conn.Close()
	}
	return l, err
}

func (p *pool) pop() *link {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.idle) - 1
	if last < 0 {
		return nil
	}
	l := p.idle[last]
	p.idle[last] = nil
	p.idle = p.idle[:last]
	return l
}

// put takes a connection back.
func (p *pool) put(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l.idleSince = time.Now()
	if l.idleSince.Before(p.distrusted) {
		l.abort()
		return
	}
	l.trail, l.beforeWait = nil, nil // Nothing of an exchange stays.
	p.idle = append(p.idle, l)
	if !p.sweeping {
		p.sweeping = true
		time.AfterFunc(maxIdle, p.sweep)
	}
}

// distrust ends reuse for a while.
func (p *pool) distrust() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.distrusted = time.Now().Add(distrust)
	for _, l := range p.idle {
		l.abort()
	}
	p.idle = nil
}

// sweep closes what has waited for too long.
func (p *pool) sweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	old := 0
	for old < len(p.idle) && time.Since(p.idle[old].idleSince) > maxIdle {
		p.idle[old].abort()
		old++
	}
	p.idle = slices.Delete(p.idle, 0, old)
	p.sweeping = len(p.idle) > 0
	if p.sweeping {
		time.AfterFunc(maxIdle, p.sweep)
	}
}
