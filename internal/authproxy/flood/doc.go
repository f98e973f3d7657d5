// Package flood keeps bad tokens from becoming everybody's trouble. Each source of requests has a budget of failures.
// Above it a failure is answered 429 in place of 401, and the signatures of the source's new tokens are checked one by
// one, in a slow lane that all such sources share in turn.
//
// What it must never do is refuse a good token because of others' bad ones. So a budget does not decide about a
// token, only about how its refusal is answered and when its signature is looked at; and an address behind which many
// callers are, such as that of a gateway, is not answered 429 at all.
//
// A request without any token is no failure: that is how clients find out that they need one and where to get it
// (MCP authorization), and it costs no signature and guesses at nothing.
//
// Package flood must not know what a token is, nor read one.
package flood
