package main

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestReplicaLeadsOnceElected(t *testing.T) {
	elected := make(chan struct{})
	gauge := newLeading(elected)
	if got := testutil.ToFloat64(gauge); got != 0 {
		t.Errorf("before: %v", got)
	}
	close(elected)
	for range 2 {
		if got := testutil.ToFloat64(gauge); got != 1 {
			t.Errorf("afterwards: %v", got)
		}
	}
}
