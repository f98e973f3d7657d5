// Package forward takes a request whose sender is verified to the MCP server and brings the answer back, streams
// included. It demands a verify.Principal, which only the verifier can make.
//
// A client always gets an answer: what the server fails to give becomes a 502, 503 or 504 of package deny. An answer
// that breaks off in the middle is never made to look complete. The package must not know tokens or keys.
package forward
