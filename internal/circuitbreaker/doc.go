// Package circuitbreaker decides when the prober is to doubt itself: when it sees more of the fleet open at once than can be so.
package circuitbreaker
