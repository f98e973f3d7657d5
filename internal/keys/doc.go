// Package keys knows signature keys: how they are made, named, written as JSON Web Key Sets (RFC 7517), read back from
// those, from PEM and from shared secrets, and how they sign and verify.
//
// It refuses a key that could not protect anything (too short, a wrong curve, meant for encryption, ambiguous), because
// a set that loads is a set that opens the gate. That a key was made badly it sees only where the key shows it (ROCA,
// points of small order, a secret that repeats itself). It must not know where sets are stored, which server they belong
// to, or what the tokens signed with them say.
package keys
