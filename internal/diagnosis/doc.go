// Package diagnosis turns what a container left behind into words for a condition: why it does not run, and what it
// said last, without what a condition must not hold.
//
// Conditions and events are read by many who may read neither logs nor Secrets, so a container's words pass through
// package mask before anyone sees them. The package must not know how the facts are gathered.
package diagnosis
