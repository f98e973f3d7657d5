package upstream

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// MaxBodyBytes is the longest request body that a Pooled takes. What is not longer fits into the kernel's buffers: a
// server that answers without reading cannot block the write and, with it, the reading of its answer.
const MaxBodyBytes = 64 << 10

// lastWords is how long a server that no longer reads has for its answer.
const lastWords = time.Second

// Pooled exchanges requests whose body is short and at hand, on connections that serve one after another. It is safe for
// concurrent use.
type Pooled struct {
	timeout time.Duration
	pool    pool
}

// NewPooled makes a Pooled; timeout bounds the time until an answer begins. endured is how long a connection to the server
// is known to be able to wait for its next exchange; if nothing is known, 0, that is found out.
func NewPooled(timeout, endured time.Duration) *Pooled {
	return &Pooled{timeout: timeout, pool: pool{endured: endured}}
}

// Do is like Fresh.Do, for a request of at most MaxBodyBytes whose length is given and whose body never blocks.
func (p *Pooled) Do(ctx context.Context, r *http.Request, trail *Trail) (Answer, error) {
	l, err := p.pool.take(ctx, r.URL.Host, trail)
	if err != nil {
		return Answer{}, err
	}
	// What a client that has gone asked for is not wanted any more; closing is how the server is told.
	keep := context.AfterFunc(ctx, l.abort)
	response, err := p.exchange(l, r) //nolint:bodyclose // pooledBody.Close does, for the connection's sake.
	if err != nil {
		if kept := keep(); kept && trail.diedWaiting() {
			p.pool.distrust()
		}
		l.abort()
		return Answer{}, err
	}
	return Answer{response, &pooledBody{source: response.Body, pool: &p.pool, link: l, keep: keep, reusable: l.reusable(r, response)}}, nil
}

func (p *Pooled) exchange(l *link, r *http.Request) (*http.Response, error) {
	l.began = time.Now()
	if err := l.setReadDeadline(l.began.Add(p.timeout)); err != nil {
		return nil, err
	}
	if err := r.Write(inOne{l.writer}); err != nil {
		return nil, err
	}
	if err := l.writer.Flush(); err != nil {
		return nil, err
	}
	if l.trail.failedToWrite() {
		if err := l.setReadDeadline(time.Now().Add(lastWords)); err != nil {
			return nil, err
		}
	}
	response, err := l.readHead(r)
	if err != nil {
		return nil, err
	}
	return response, judgeHead(response, l.trail)
}

// inOne has a request's head and body go out together: before a body that it does not know to be in memory, package net/http
// flushes a *bufio.Writer.
type inOne struct{ *bufio.Writer }

// pooledBody is the body of an answer. Its connection serves again if the answer was read to an end that everybody
// agrees on.
type pooledBody struct {
	source   io.Reader
	pool     *pool
	keep     func() bool // false: the exchange was given up
	reusable bool
	ended    bool

	mu   sync.Mutex
	link *link // nil when closed: it may be somebody else's by then
}

func (b *pooledBody) Read(p []byte) (int, error) {
	n, err := b.source.Read(p)
	b.ended = b.ended || errors.Is(err, io.EOF)
	return n, err
}

func (b *pooledBody) BeforeWait(flush func()) { b.link.beforeWait = flush }

func (b *pooledBody) Abort() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.link != nil {
		b.link.abort()
	}
}

func (b *pooledBody) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.link
	b.link = nil
	unasked := b.ended && l.reader.Buffered() > 0
	if unasked {
		b.pool.distrust()
	}
	if kept := b.keep(); kept && b.ended && b.reusable && !unasked {
		b.pool.put(l)
		return nil
	}
	return l.Close()
}
