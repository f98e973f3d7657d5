package forward

import "sync"

// bufferPool holds buffers of one size. It is safe for concurrent use.
type bufferPool struct{ pool sync.Pool } // of *[]byte

func newBufferPool(bytes int) *bufferPool {
	return &bufferPool{sync.Pool{New: func() any {
		buffer := make([]byte, bytes)
		return &buffer
	}}}
}

// take returns a buffer, and what to call when nobody uses it any more.
func (b *bufferPool) take() (buffer []byte, giveBack func()) {
	pooled, _ := b.pool.Get().(*[]byte) // Nothing else is ever put there.
	return *pooled, func() { b.pool.Put(pooled) }
}
