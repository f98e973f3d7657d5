// Package attack tries to get past a gate, and to make it answer badly, over real TCP connections and with raw bytes
// where a client library would be too polite.
//
// Every case names the line of docs/standards.md that it proves and the whole answer: status line, challenge, reason and
// body. What must be refused does not reach the server behind the gate, and no connection ends in a reset. The package
// must not know how the gate is made: all it has is an address, and the keys of the issuers.
package attack
