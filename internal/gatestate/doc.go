// Package gatestate judges what a gate says of itself: what it has loaded and the operator has not published, what it lacks of what
// it must have, and what its self-test found. It has no clients and no clock.
package gatestate
