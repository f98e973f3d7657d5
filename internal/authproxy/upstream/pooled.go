package upstream

import (
	"context"
	"errors"
	"io"
	"net/http"
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

// NewPooled makes a Pooled; timeout bounds the time until an answer begins.
func NewPooled(timeout time.Duration) *Pooled { return &Pooled{timeout: timeout} }

// Do is like Fresh.Do, for a request of at most MaxBodyBytes whose length is given and whose body never blocks.
func (p *Pooled) Do(ctx context.Context, r *http.Request, trail *Trail) (*http.Response, error) {
	l, err := p.pool.take(ctx, r.URL.Host, trail)
	if err != nil {
		return nil, err
	}
	// What a client that has gone asked for is not wanted any more; closing is how the server is told.
	keep := context.AfterFunc(ctx, l.abort)
	response, err := p.exchange(l, r)
	if err != nil {
		if kept := keep(); kept && trail.diedWaiting() {
			p.pool.distrust()
		}
		l.abort()
		return nil, err
	}
	response.Body = &pooledBody{ReadCloser: response.Body, pool: &p.pool, link: l, keep: keep, reusable: l.reusable(response)}
	return response, nil
}

func (p *Pooled) exchange(l *link, r *http.Request) (*http.Response, error) {
	if err := l.hurry(time.Now().Add(p.timeout)); err != nil {
		return nil, err
	}
	if err := r.Write(l.writer); err != nil {
		return nil, err
	}
	if err := l.writer.Flush(); err != nil {
		return nil, err
	}
	if l.trail.failedToWrite() {
		if err := l.hurry(time.Now().Add(lastWords)); err != nil {
			return nil, err
		}
	}
	response, err := l.readHead(r)
	if err != nil {
		return nil, err
	}
	return response, judgeHead(response, l.trail)
}

// pooledBody is the body of an answer. Its connection serves again if the answer was read to an end that everybody
// agrees on.
type pooledBody struct {
	io.ReadCloser

	pool     *pool
	link     *link
	keep     func() bool // false: the exchange was given up
	reusable bool
	ended    bool
}

func (b *pooledBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.ended = b.ended || errors.Is(err, io.EOF)
	return n, err
}

// BeforeWait has flush called whenever Read is about to wait for the server.
func (b *pooledBody) BeforeWait(flush func()) { b.link.beforeWait = flush }

func (b *pooledBody) Close() error {
	unasked := b.ended && b.link.reader.Buffered() > 0
	if unasked {
		b.pool.distrust()
	}
	if kept := b.keep(); kept && b.ended && b.reusable && !unasked {
		b.pool.put(b.link)
		return nil
	}
	return b.link.Close()
}
