// Package authproxy is the gate: it lets a request through to the MCP server behind it if, and only if, the request
// carries a token that one of the configured providers issued for this server.
//
// A request passes these steps, each in a file or folder of its own: bearer, verify, forward; the first that refuses
// ends it with an answer from deny. The package must not know Kubernetes: what it needs to know of its surroundings
// comes in Config.
package authproxy
