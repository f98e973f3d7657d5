// Package probemetrics holds the metrics of the operator's prober: rounds, failed cases, verdicts, refused clients, certificates.
package probemetrics
