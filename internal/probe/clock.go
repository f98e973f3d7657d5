package probe

import (
	"net/http"
	"time"
)

// minClockTolerance: a Date has whole seconds, and clocks that are kept by NTP still differ a little.
const minClockTolerance = 2 * time.Second

// clockReading compares the target's clock, as its Date headers tell it, with the prober's.
type clockReading struct {
	offset time.Duration
	seen   bool
}

// read takes the Date of an answer into account. What lies between the request and the answer is no difference, and
// of several readings the smallest counts: delays can only add to it.
func (c *clockReading) read(a answer) {
	date, err := http.ParseTime(a.header.Get("Date"))
	if err != nil {
		return
	}
	var offset time.Duration
	switch earliest := a.sent.Truncate(time.Second); {
	case date.Before(earliest):
		offset = date.Sub(earliest)
	case date.After(a.received):
		offset = date.Sub(a.received)
	}
	if !c.seen || offset.Abs() < c.offset.Abs() {
		c.offset, c.seen = offset, true
	}
}
