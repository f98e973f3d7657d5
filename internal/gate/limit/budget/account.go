package budget

// Account is what one request holds: first for a caller who is not verified, and after Enter for one who is. It is safe
// for concurrent use, and must not be copied once it is in use.
type Account[C comparable] struct {
	budget *Budget[C]
	caller C
	used   *usage // nil: the caller is not verified
	bytes  int64
	closed bool
}

// Open returns the account of a new request.
func (b *Budget[C]) Open() Account[C] { return Account[C]{budget: b} }

// Enter counts the request as one of a verified caller, until the account is closed; what it holds already counts as the
// caller's, too. It returns ErrCaller if the caller has as many requests in progress as most says (0 is no bound) or as
// still fit, and ErrFull if all callers together have as many as fit, or leave this one less than an equal share. So n callers
// who take what they get have a share of n+1 each, and the last one is left for the next caller.
func (a *Account[C]) Enter(caller C, most int) error {
	b := a.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	used := b.callers[caller]
	isFull := b.isFullFor(used)
	switch {
	case a.closed || a.used != nil:
		return nil
	case used != nil && most > 0 && used.requests >= most:
		return ErrCaller
	case isFull && used != nil && used.requests*len(b.callers) >= b.limits.Requests:
		return ErrCaller
	case isFull:
		return ErrFull
	case used == nil:
		used = &usage{}
		b.callers[caller] = used
	}
	used.requests++
	b.requests++
	held := a.bytes
	a.take(-held)
	a.caller, a.used = caller, used
	a.take(held)
	return nil
}

// isFullFor reports whether a caller with this in progress, nil for nothing, gets no more: what it has may not be more than is left.
func (b *Budget[C]) isFullFor(used *usage) bool {
	free := b.limits.Requests - b.requests
	return free <= 0 || used != nil && used.requests >= free
}

// Reserve asks for room for n more bytes: ErrCaller or ErrFull if there is none, and then nothing is reserved. Of a
// verified caller's request that is the only one with a body, all fits. A negative n gives room back.
func (a *Account[C]) Reserve(n int64) error {
	b := a.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	if a.closed {
		return nil // The request has ended, and everything of it was given back.
	}
	if n > 0 {
		if err := a.fits(n); err != nil {
			return err
		}
	}
	a.take(n)
	return nil
}

// fits needs the lock of the budget, as take does.
func (a *Account[C]) fits(n int64) error {
	limits := a.budget.limits
	switch {
	case a.used == nil && a.budget.unverifiedBytes+n > limits.UnverifiedBytes:
		return ErrFull
	case a.used == nil, a.budget.bytes == a.bytes:
		return nil // A body that is alone always fits: no caller must be refused for ever.
	case a.used.bytes+n > limits.CallerBytes:
		return ErrCaller
	case a.budget.bytes+n > limits.Bytes:
		return ErrFull
	}
	return nil
}

func (a *Account[C]) take(n int64) {
	a.bytes += n
	if a.used == nil {
		a.budget.unverifiedBytes += n
		return
	}
	a.used.bytes += n
	a.budget.bytes += n
}

// Close gives everything back. Only the first call does something.
func (a *Account[C]) Close() {
	b := a.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	if a.closed {
		return
	}
	a.take(-a.bytes)
	a.closed = true
	if a.used == nil {
		return
	}
	b.requests--
	if a.used.requests--; a.used.requests == 0 {
		delete(b.callers, a.caller)
	}
}
