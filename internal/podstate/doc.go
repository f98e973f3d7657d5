// Package podstate reads from a pod's specification and status what the operator goes by: whether its gate answers, which
// processes run in it, and how its readiness gate stands. It knows the pod alone.
package podstate
