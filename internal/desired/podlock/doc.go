// Package podlock judges a pod: one in which Violations finds nothing cannot reach its server past the gate by anything that
// stands in the pod's specification.
package podlock
