package requeue

import "time"

// Sooner is the shorter of two waits, of which 0 is for ever.
func Sooner(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}
