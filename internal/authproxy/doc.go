// Package authproxy is the contract between the operator and the gate: Config, and where it lies in the container.
//
// The gate lets a request through to the MCP server behind it if, and only if, the request carries a token that one of
// the configured providers issued for this server. A request passes these steps, each in a package of its own: surface
// (is it a request that everyone reads the same way?), bearer, verify, authorize, forward; the first that refuses ends
// it with an answer from deny. Package gate puts them together, snapshot keeps what they decide by, admin is the second
// port.
//
// This package must not know Kubernetes, nor any of the steps: the operator imports it.
package authproxy
