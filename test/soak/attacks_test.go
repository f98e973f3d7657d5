//go:build soak

package soak

import "slices"

// allAttacks are all that the gate has to bear. Each has a name of its own, by which it can be run alone.
func allAttacks() []attack {
	return slices.Concat(
		bodyAttacks(),    // without a good token
		headerAttacks(),  // before any token
		http2Attacks(),   // frames
		callerAttacks(),  // with good tokens
		messageAttacks(), // with good tokens, where rules judge what bodies say
	)
}
