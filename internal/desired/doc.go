// Package desired says what must exist for an MCPServer: it turns the resource, and what was observed, into the
// objects to apply. It is pure: no client, no clock, no randomness, so that a golden file shows each object whole.
//
// Every object is an apply configuration: exactly the fields that Gatehouse owns, and no others. What is left out
// belongs to whoever sets it.
//
// Locked judges the result: a pod that it finds no violation in cannot reach its server past the gate by anything that
// stands in the pod's specification.
package desired
