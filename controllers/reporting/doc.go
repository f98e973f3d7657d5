// Package reporting writes what controller mcpserver says of a server, into its status, Events and metrics, and remembers what
// was said.
package reporting
