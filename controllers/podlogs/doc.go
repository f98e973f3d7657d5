// Package podlogs reads how the logs of crashed containers end, where the operator may.
package podlogs
