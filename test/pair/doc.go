// Package pair says what the prober must make of each fault that a server can have, alone and behind the gate. Its tests
// put the two, and test/mcpfake, before each other over TCP; those of the controllers look at the conditions.
package pair
