// Package scale measures what a fleet of MCPServers costs the operator: `make scale`. The operator is the program as it is
// shipped, with an API server and etcd of its own; there is no kubelet, and a simulated node plays its part: each pod has a
// loopback address of its own, where a real gate and a real MCP server listen.
//
// Costs are told, not judged: machines differ. What is judged is that every server becomes Ready, and stays so.
package scale
