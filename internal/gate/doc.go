// Package gate puts the gate together and keeps it alive: options, ports, readiness, state, and how it lets go of its
// clients. What becomes of one request is in package request; the other folders below are its steps and what they need.
//
// It must not know how any step decides.
package gate
