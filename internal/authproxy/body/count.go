package body

// Bytes is how much of the body has come so far, whatever was done with it.
func (b *Body) Bytes() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.read
}

func (b *Body) count(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.read += n
}
