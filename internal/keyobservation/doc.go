// Package keyobservation keeps what pods were seen to do with keys, and what their gates say that they have loaded: the prober
// writes, rotations and status read. It is kept in memory alone.
package keyobservation
