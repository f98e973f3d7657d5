// Package upstream has one exchange with the MCP server: a request goes out, the head of its answer comes back, and the
// rest is read from the answer's body. There are two ways, to be told apart only by what they cost.
//
// Fresh takes any request: http.Transport, with a connection for each. Pooled takes those whose body is short and at
// hand, and writes and reads on one goroutine, on a connection that may have served before. A request that was written
// even in part is never sent again: a tool may have been called.
//
// The package must not know who sends a request, or what a client is told when an exchange fails.
package upstream
