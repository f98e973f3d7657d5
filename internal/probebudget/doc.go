// Package probebudget limits how many connections the prober makes per second, over all servers.
package probebudget
