// Package mcpfake is an MCP server to test against: small, well behaved by default, and able to misbehave on the wire
// in every way that was seen of real ones.
//
// It speaks streamable HTTP in three dialects (see Dialect) and has tools that show what reached it. It asks nobody
// for a token: that is what the gate in front of it is for. The package must not know the gate, the prober or
// Kubernetes, and uses nothing but the standard library, so that its image is one static file.
package mcpfake
