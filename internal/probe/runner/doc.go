// Package runner runs a check of one gate: the positive control, what must be refused, and the positive control again. It knows
// of earlier checks what it is given: tokens to replay, whose turn it is, and the test cases that failed.
package runner
