// Package wire sends requests to a target and keeps all that was seen of the answers, below HTTP too: whether a connection was
// refused, reset, closed or silent is told by evidence, never by the text of an error. It must not know why a request is sent.
package wire
