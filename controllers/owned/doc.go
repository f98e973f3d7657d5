// Package owned finds what is an MCPServer's by label, and names the manager of its fields.
package owned
