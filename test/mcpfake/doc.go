// Package mcpfake is an MCP server to test against: small, well behaved by default, and able to misbehave on the wire
// in every way that was seen of real ones.
//
// It speaks streamable HTTP in three dialects (see Dialect) and has tools that show what reached it. It asks nobody
// for a token: that is what the gate in front of it is for. The package must not know the gate, the prober or
// Kubernetes, and uses nothing but the standard library, so that its image is one static file.
//
// # Failures seen of servers, and of what stands before them
//
// Each fault names the one that it plays:
//
//  1. The connection is reset after the request was read.
//  2. It is reset with the request unread, as by a forwarder that has no server to forward to.
//  3. It is closed without a byte.
//  4. Nobody listens.
//  5. It stays open and silent: from the start, in the head, in the body, or drop by drop.
//  6. It is closed in the middle of an answer.
//  7. It is reset after a whole answer.
//  8. The process crashes over a request with a bad token or none.
//  9. The handler of a request panics, and the process lives on.
//  10. The process ends for want of memory, at its own will, or before it listens.
//  11. It starts late, is well by turns, or dies soon after it was ready.
//  12. Everybody is let in.
//  13. Any bearer is let in.
//  14. Who sends nothing is let in, on an identity of the server's own; who sends another scheme is not.
//  15. Only the session is asked for, not a token: tools/list gets 400, initialize 200 (the Stateful dialect shows it).
//  16. The refusal stands in the body of a 200.
//  17. 200 with nothing, with HTML, with a login page; 202.
//  18. Requests are refused for something other than the token: 400, 404, 405, 406, 415, 421, 403 for an origin.
//  19. 401 without a challenge.
//  20. 401 that tells nothing.
//  21. 401 or 500 that tells too much.
//  22. 401 and 403 mixed up.
//  23. Good tokens are refused: another key, a clock that is off, claims that are not liked.
//  24. 429 or 503 with Retry-After.
//  25. Redirects: to a login page, to itself, to another host, to https.
//  26. Something else than HTTP/1.1 in the clear holds the port.
//  27. Answers too large to be meant.
//  28. 100-continue never comes; an answer comes before the request's body was read.
//  29. One of two servers behind a name is open (open@every=2 shows it).
//  30. The server's port can be reached beside the gate (its address shows it).
//  31. HTTP or JSON-RPC that breaks its own rules.
package mcpfake
