// Package desired says what an MCPServer asks for: its settings with every default filled in, and the names of its objects. Its
// packages make the objects to apply of that, and of what was observed. They are pure: no client, no clock, no randomness, so
// that a golden file shows each object whole.
//
// Every object is an apply configuration: exactly the fields that Gatehouse owns, and no others. What is left out
// belongs to whoever sets it.
package desired
