// Package workload makes the Deployment of a server with its pods, and tells how it differs from one that stands.
package workload
