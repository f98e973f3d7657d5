package main

import "github.com/prometheus/client_golang/prometheus"

// newLeading returns the gauge that tells the replica that leads from those that wait. elected is closed once this process
// leads, which it does until its end: a replica that loses the lease ends.
func newLeading(elected <-chan struct{}) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "gatehouse_operator_leading", Help: "1 while this replica of the operator leads, 0 while it waits to.",
	}, func() float64 {
		select {
		case <-elected:
			return 1
		default:
			return 0
		}
	})
}
