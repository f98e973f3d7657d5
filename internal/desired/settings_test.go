package desired_test

import (
	"testing"
	"time"

	"k8s.io/utils/ptr"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// What says how often and how patiently a lock is tried is in no object, so no golden file tells that it is heeded.
func TestHowTheLockIsTried(t *testing.T) {
	server := &v1alpha1.MCPServer{}
	for name, c := range map[string]struct {
		spec *v1alpha1.AuthProbe
		want desired.Probe
	}{
		"by default": {nil, desired.Probe{Interval: 30 * time.Second, Timeout: 5 * time.Second, FailureThreshold: 3, SuccessThreshold: 1, EnforceGate: true}},
		"as the spec says": {
			&v1alpha1.AuthProbe{
				IntervalSeconds: ptr.To[int32](7), TimeoutSeconds: ptr.To[int32](2), FailureThreshold: ptr.To[int32](9), SuccessThreshold: ptr.To[int32](4),
				ReadinessGate: v1alpha1.ReadinessGateOff,
			},
			desired.Probe{Interval: 7 * time.Second, Timeout: 2 * time.Second, FailureThreshold: 9, SuccessThreshold: 4},
		},
	} {
		server.Spec.AuthProbe = c.spec
		got := desired.Resolve(server).Probe
		if got.Interval != c.want.Interval || got.Timeout != c.want.Timeout || got.FailureThreshold != c.want.FailureThreshold ||
			got.SuccessThreshold != c.want.SuccessThreshold || got.EnforceGate != c.want.EnforceGate {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}
