// Package serverstatus makes the status of a server, but for what the prober says, from what was seen.
package serverstatus
