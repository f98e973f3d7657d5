package body

import (
	"errors"
	"io"
	"slices"
)

const (
	// HeadBytes is how much is remembered of the beginning of a body that nobody reads.
	HeadBytes = 64 << 10
	// keptBytes is how much is remembered of one that was passed on. Up to here no account is asked.
	keptBytes = 4 << 10
	// firstGuess bounds what is allocated for a length that was announced: the bytes have not come yet.
	firstGuess = 64 << 10
)

// Prefetch reads ahead, under the same limits as Read, for somebody who must see a body before it is forwarded; Read gives
// it again. whole reports that ahead is all of the body; otherwise the body is longer than longest bytes, and ahead begins
// it. What an earlier Prefetch has read is given again, even if it is longer. ahead belongs to the Body, which lets go of
// it when Read has given it. Prefetch must not be called beside Read, nor after it. The error is what Err returns from
// then on.
func (b *Body) Prefetch(longest int64) (ahead []byte, whole bool, err error) {
	if whole := b.Whole(); whole || int64(len(b.ahead)) > longest {
		return b.ahead, whole, nil
	}
	most := longest + 1 // One byte more shows the end of a body of just that length.
	guess := int64(keptBytes)
	if b.declared >= 0 {
		guess = min(b.declared+1, firstGuess)
	}
	buffer, err := b.grow(b.ahead, min(guess, most))
	for err == nil && !b.Whole() && int64(len(buffer)) < most {
		if len(buffer) == cap(buffer) {
			if buffer, err = b.grow(buffer, min(2*int64(cap(buffer)), most)); err != nil {
				break
			}
		}
		var n int
		n, err = b.receive(buffer[len(buffer):min(int64(cap(buffer)), most)])
		buffer = buffer[:len(buffer)+n]
		if errors.Is(err, io.EOF) {
			err = nil
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.err = err
		b.forget(buffer)
		return nil, false, err
	}
	b.ahead = buffer
	return b.ahead, b.whole, nil
}

// grow returns a buffer of at least size bytes with the same content, if the account has room for it.
func (b *Body) grow(buffer []byte, size int64) ([]byte, error) {
	if size <= int64(cap(buffer)) {
		return buffer, nil
	}
	if more := size - max(b.reserved, keptBytes); more > 0 && b.account != nil {
		if err := b.account.Reserve(more); err != nil {
			return buffer, err
		}
		b.reserved = size
	}
	return slices.Grow(buffer, int(size)-len(buffer)), nil
}

// readAhead gives what Prefetch has read, and lets go of it at its end: it may be as long as a body may be, and an
// answer may take hours.
func (b *Body) readAhead(p []byte) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := copy(p, b.ahead[b.given:])
	b.given += n
	if n > 0 && b.given == len(b.ahead) && cap(b.ahead) > keptBytes {
		b.forget(b.ahead)
	}
	return n
}

// forget needs the lock.
func (b *Body) forget(buffer []byte) {
	b.head = slices.Clone(buffer[:min(len(buffer), keptBytes)])
	b.ahead, b.given = nil, 0
	if b.reserved > keptBytes && b.account != nil {
		_ = b.account.Reserve(keptBytes - b.reserved) // To give back is never refused.
	}
	b.reserved = 0
}

// remember keeps the beginning of what is passed on as it comes.
func (b *Body) remember(p []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if room := keptBytes - len(b.head); room > 0 && b.ahead == nil {
		b.head = append(b.head, p[:min(room, len(p))]...)
	}
}
