// Package keysource reads keys that the operator does not make for a server: those that users bring, those of the cluster's own
// issuer, and the master key of the probe keys.
package keysource
