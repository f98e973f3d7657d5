package snapshot

import (
	"bytes"
	"errors"
	"time"
)

// errGone is why a published file that was there is not read. Somebody has deleted its object, and the operator, which puts
// it back, is not there to do so.
var errGone = errors.New("the file is gone, and what it held stays in force: is its ConfigMap deleted, and the operator not running?")

// mountedFile is a mounted file over time: what it held when it was last read, and what of it is in force. The zero value is
// a file that is not there.
type mountedFile[T any] struct {
	read   bool
	raw    []byte // last read
	err    error  // why raw is not in force
	good   bool   // something was read without an error
	value  T      // in force
	loaded time.Time
}

// take looks at the file as it is now and tells whether its value has changed. What cannot be read or parsed changes
// nothing; only if there is no good value yet, parse's partial one is taken.
func (f *mountedFile[T]) take(now content, parse func([]byte) (T, error), at time.Time) (changed bool) {
	if now.err != nil {
		f.read, f.err = false, now.err
		return false
	}
	if f.read && bytes.Equal(f.raw, now.data) {
		return false
	}
	value, err := parse(now.data)
	f.read, f.raw, f.err = true, now.data, err
	if err != nil && f.good {
		return false
	}
	f.value, f.good, f.loaded = value, err == nil, at
	return true
}
