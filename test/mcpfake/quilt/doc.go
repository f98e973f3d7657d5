// Package quilt plays quilt-mcp-server, as far as it can be seen from outside: what it wants in its environment, what it says
// when that is missing, which tokens it takes, and what it answers to health checks, browsers and wrong paths.
//
// Two releases stand for all. Release014 verifies tokens itself, with a secret of its own that it reads once, at its start.
// Release021 stands for all from 0.15 on: it takes any bearer at all. The answers are those that the servers gave; what they
// are used for, tools and a catalog, is not there.
package quilt
