package upstream

import (
	"context"
	"sync"
	"time"
)

const (
	// maxWait is how long a connection waits for its next exchange, at most.
	maxWait = 2 * time.Second
	// leastEndured is what a server must have endured before anything is reused at all.
	leastEndured = time.Second
	// sweepEvery is how often the connection that has waited longest is looked at.
	sweepEvery = 100 * time.Millisecond
	// mistrust is how long nothing is reused after a server closed a connection that was about to be, or spoke unasked.
	mistrust = time.Minute
)

// pool keeps the connections that wait.
//
// A server may close a waiting connection at the very moment we write to it, and the request is lost. So none is reused
// that may have waited for more than half of what connections to this server were seen to endure; and none at all until
// one has been seen to endure leastEndured.
type pool struct {
	mu       sync.Mutex
	idle     []*link // the last one waits the shortest
	endured  time.Duration
	sweeping bool
	// distrusted is until when the server is.
	distrusted time.Time
}

// take gives a connection that has just been seen to be quiet, or a new one.
func (p *pool) take(ctx context.Context, address string, trail *Trail) (*link, error) {
	if l := p.pop(address); l != nil {
		if l.isQuiet() {
			trail.reused = true
			l.trail = trail
			return l, nil
		}
		l.abort()
		p.distrust()
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

// pop gives the connection that waits the shortest, if that is not too long.
func (p *pool) pop(address string) *link {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.idle) - 1
	if last < 0 || !p.isPatient() || p.idle[last].address != address || time.Since(p.idle[last].began) > p.endured/2 {
		return nil
	}
	l := p.idle[last]
	p.idle[last] = nil
	p.idle = p.idle[:last]
	return l
}

func (p *pool) isPatient() bool { return p.endured >= leastEndured }

// put takes a connection back. While nothing is known of the server, one is enough to find out.
func (p *pool) put(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l.idleSince = time.Now()
	if l.idleSince.Before(p.distrusted) || !p.isPatient() && len(p.idle) > 0 {
		l.abort()
		return
	}
	l.trail, l.beforeWait = nil, nil // Nothing of an exchange stays.
	p.idle = append(p.idle, l)
	if !p.sweeping {
		p.sweeping = true
		time.AfterFunc(sweepEvery, p.sweep)
	}
}

// distrust ends reuse for a while.
func (p *pool) distrust() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.distrusted = time.Now().Add(mistrust)
	for _, l := range p.idle {
		l.abort()
	}
	p.idle = nil
}

// sweep learns from the connections that wait longest how long the server endures them, and closes those that have
// waited for too long.
func (p *pool) sweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.idle) > 0 {
		l := p.idle[0]
		waited, open := time.Since(l.idleSince), l.isQuiet()
		if open {
			p.endured = max(p.endured, min(waited, maxWait))
		} else {
			p.endured = min(p.endured, waited/2)
		}
		if open && waited < maxWait {
			break
		}
		l.abort()
		p.idle[0] = nil
		p.idle = p.idle[1:]
	}
	p.sweeping = len(p.idle) > 0
	if p.sweeping {
		time.AfterFunc(sweepEvery, p.sweep)
	}
}
