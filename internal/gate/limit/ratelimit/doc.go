// Package ratelimit keeps bad tokens from becoming everybody's trouble. Each source of requests has a budget of failures.
// Above it the signatures of the source's new tokens are checked one by one, in a slow lane that all such sources share in
// turn; whoever does not get a turn in time is answered 429.
//
// What it must never do is refuse a good token because of others' bad ones. So a budget does not decide about a
// token, only about when its signature is looked at; what is refused without that is answered as it deserves. An address
// behind which many callers are, such as that of a gateway, has no budget.
//
// A request without any token is no failure: that is how clients find out that they need one and where to get it
// (MCP authorization), and it costs no signature and guesses at nothing.
//
// Package ratelimit must not know what a token is, nor read one.
package ratelimit
