// Package statusreport shows an MCPServer to a person: how it stands, from what evidence and of what age, and what to do.
//
// It is pure: the objects and the time are passed in. It must not know how they were read, and judges nothing anew: what
// it says is what the operator wrote, dated.
package statusreport
