// Package gate puts the steps of the gate together: the handler that a request passes through, the admin port, the
// self-test, and the life of the process.
//
// It must not know how any step decides.
package gate
