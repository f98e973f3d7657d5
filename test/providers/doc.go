// Package providers holds the pages of docs/providers against the gate. A page shows the tokens of a provider and the
// MCPServer that takes them; the tests let a gate with that configuration judge tokens of that shape, and near misses of each.
//
// With the build tag providers, real providers run as processes on this machine, in a network namespace of their own.
package providers
