// Package keys knows signature keys: how they are made, named, written as JSON Web Key Sets (RFC 7517) and read back.
//
// It refuses a key that could not protect anything (too short, a wrong curve, meant for encryption, ambiguous), because
// a set that loads is a set that opens the gate. It must not know where sets are stored, which server they belong to,
// or what the tokens signed with them say.
package keys
