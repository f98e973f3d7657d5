// Package mcpserver makes what an MCPServer asks for: observe, desired, apply, one status write. Its phases are in phases.go.
//
// It decides nothing about objects, which is package desired's part, and gives no evidence about the lock, which is
// package authprobe's; it sums both up in the condition Ready.
package mcpserver
