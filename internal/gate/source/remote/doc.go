// Package remote keeps the JWK Sets that providers publish: a Fetcher asks for one provider's set again and again, a
// Group holds the Fetchers of a configuration.
//
// The gate asks the URLs of its own configuration and nothing else. Where a connection leads is judged when it is made,
// not when its name is looked up, so a name that changes its address gains nothing. Keys that could not be confirmed
// for too long are dropped: otherwise whoever blocks the way to the issuer would keep a revoked key alive. A set lives
// in memory only.
//
// This package must not know what a token is, or who is asking.
package remote
