// Package ssa brings objects to what is desired by server-side apply, and never takes over what belongs to somebody else.
//
// It knows Kubernetes and no MCPServer. The caller says whose an object is, what may not be written and what is wrong with the
// result; the package creates, applies, takes back fields that others have set where nobody else may, and writes nothing where
// an object stands as the last apply left it.
package ssa
