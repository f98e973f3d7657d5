// Package conditions has conditions as they are judged, applied and exported as metrics.
package conditions
