// Package plan makes test cases: it knows the issuers of a check, its draws and its turn, and how a bad token is made from a
// good one. Which test cases there are, it must not know.
package plan
