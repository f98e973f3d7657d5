// Package e2e holds the stories that Gatehouse has to pass with real pods: `make test-e2e`. They know what a user can
// see and do through the API server, and what a client inside the cluster can reach; they must not know how the
// operator or the gate do what they do.
package e2e
