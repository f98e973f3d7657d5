// Package deny knows how the gate says no: which status, which challenge (RFC 6750), which words. It is the only place
// that writes a 4xx or 5xx answer of the gate's own, so that all of them look alike: a JSON-RPC 2.0 error that MCP
// clients can show, and never a reset connection in place of an answer.
//
// It must not know how a verdict came about, and never repeats anything of the request but its JSON-RPC id.
package deny
