// Package serverobjects applies the objects of a server: it says whose one is that is there, what became of it on its way into
// the API server and what was changed past the spec, and gives another name to one that reaches the gates no more.
package serverobjects
