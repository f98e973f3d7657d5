// Package probe has the terms in which a gate is tried: the Target, the Case, the Outcome of one request, the Report of a check
// and the Verdict on it, and what one check hands to the next.
//
// The packages below it do the work, each knows those before it only:
//
//	wire      sends a request as bytes and keeps what the network showed of the answer
//	expect    judges one answer: is it the refusal, or the result, that it must be?
//	client    is an MCP client: it builds requests, opens sessions, and looks like any other
//	plan      makes a test case: whose token, which draws, whose turn
//	cases     has the test cases by name; a new one goes there
//	forms     has the catalogue of unusual requests, each with one defect of its token or another
//	verdicts  judges a Report, and keeps the failures that are not refuted
//	runner    runs a check: it selects test cases, asks them, and reports
//
// None of them may know Kubernetes, how the gate verifies, or what follows from a verdict. This package does no I/O.
package probe
