// Package token mints access tokens: good ones, and ones that are bad in exactly one way.
//
// The bad ones exist to try the gate: each is the good token of the same Template with one thing changed, so that a
// refusal can have one cause only. Package token must not know how tokens are verified; the gate is judged by what it
// does with them.
package token
