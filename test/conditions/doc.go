// Package conditions reads what api/v1alpha1/conditions.go promises about conditions: which there are, and which reasons
// each can have with which status. Tests hold the controllers and the documentation to it. It knows no cluster.
package conditions
