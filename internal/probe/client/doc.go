// Package client is the prober as an MCP client. All requests of a check look alike, as those of a client that servers meet
// anyway, so that a bad one differs from a good one in its token only. A token leaves it in a request to the target and in no
// other way: Seen describes an answer without repeating what was sent.
package client
