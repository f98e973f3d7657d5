// Package probe tries a gate from outside, as a client would, and says from evidence whether it locks.
//
// A round puts cases to one target: the control (a valid token), then requests that must be refused, each the control
// with exactly one thing changed, then the control again. Each request becomes an Outcome by what was seen on the wire,
// never by the text of an error; the Report of a round has one Verdict. A round knows of earlier ones what it is given: tokens
// to replay, whose turn it is, and the questions that failed.
//
// The package must not know Kubernetes, how the gate verifies, or what follows from a verdict. A minted token leaves it
// in the Authorization header of a request to the target and in no other way: not in a report, an error or a log.
package probe
