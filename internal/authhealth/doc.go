// Package authhealth judges what was observed of a server's lock: what one round on a pod is worth, what stands about each pod,
// and what AuthHealthy says of all of them. It has no clients and no clock: its callers ask, and say what time it is.
package authhealth
