// Package redact makes what a client chose fit for logs and the audit: without credentials, queries and fragments, in one
// line, and of bounded length. Mask stands for what is left out. When in doubt, more is left out.
//
// It must not decide anything, and what it gives must not be compared with anything.
package redact

// Mask stands for what is left out.
const Mask = "*"
