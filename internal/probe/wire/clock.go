package wire

import (
	"net/http"
	"time"
)

// MinClockTolerance: a Date has whole seconds, and clocks that are kept by NTP still differ a little.
const MinClockTolerance = 2 * time.Second

// Clock compares the target's clock, as its Date headers tell it, with the prober's.
type Clock struct {
	Offset time.Duration
	Seen   bool
}

// Read takes the Date of an answer into account. What lies between the request and the answer is no difference, and
// of several readings the smallest counts: delays can only add to it.
func (c *Clock) Read(a Answer) {
	date, err := http.ParseTime(a.Header.Get("Date"))
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
	if !c.Seen || offset.Abs() < c.Offset.Abs() {
		c.Offset, c.Seen = offset, true
	}
}
