// Package conformance holds the gate against suites and clients that nobody here wrote: `make conformance`. Before real
// servers the MCP conformance suite must find through the gate, scenario by scenario, what it finds without; so must the
// SDKs' clients and the MCP Inspector; and when their token has expired, they must show their user what the gate says.
//
// It knows programs only: the gate, servers and clients run as they are shipped, each in a process of its own.
package conformance
