// Package verify judges access tokens: it turns a token into a Principal, or says in one word why not.
//
// It follows RFC 7519 (JWT), RFC 9068 (JWT access tokens) and the best current practice of RFC 8725. Signatures are
// checked by golang-jwt, by way of package keys; what that library leaves to its caller is checked here: the format, the
// header's "typ", "crit" and "kid", which issuer's which key with which algorithm, repeated members, the types of claims,
// who and when a token is for, and who has been revoked.
//
// It goes in two steps, so that a flood of bad tokens can be slowed down where it costs: Verifier.Screen does what costs
// next to nothing, and recognises tokens that came before; Candidate.Verify does the cryptography.
//
// It must not know HTTP, files or how keys come and go: a Verifier is made for one set of keys and never changes.
package verify
