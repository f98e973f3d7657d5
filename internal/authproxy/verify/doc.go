// Package verify judges access tokens: it turns a token into a Principal, or says in one word why not.
//
// It follows RFC 7519 (JWT), RFC 9068 (JWT access tokens) and the best current practice of RFC 8725. Signatures and
// registered claims are checked by golang-jwt; what that library leaves to its caller is checked here: the format, the
// header's "typ", "crit" and "kid", which issuer's which key with which algorithm, repeated members, the types of
// claims, and the claims that must be there.
//
// It must not know HTTP, files or how keys come and go: a Verifier is made for one set of keys and never changes.
package verify
