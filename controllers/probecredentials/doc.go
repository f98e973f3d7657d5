// Package probecredentials reads what a server's lock is tried with: its Secrets, the tokens and keys that users bring, and tokens
// of the operator's own ServiceAccount.
package probecredentials
