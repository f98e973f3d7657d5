// Package gateapi is the contract between the gate and the operator: what the operator tells a gate (Config, and where
// it lies in the container), and what a gate tells by its answers (Reason) and by its exit code.
//
// A gate lets a request through to the MCP server behind it if, and only if, the request carries a token that one of the
// configured providers issued for this server.
//
// This package must not know Kubernetes, nor how a gate does it: the operator imports it.
package gateapi
