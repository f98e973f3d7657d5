package desired_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// A message lists all that is wrong with a pod, with both values, and what to do if the pod shows who did it.
func TestAllViolationsAreDescribed(t *testing.T) {
	const path = "testdata/generic/in.yaml"
	own := template(t, path)
	gate := func(p *corev1.PodSpec) *corev1.Container { return &p.InitContainers[0] }
	for name, c := range map[string]struct {
		change func(*corev1.PodSpec)
		want   []string
		cure   string
	}{
		"nothing": {func(*corev1.PodSpec) {}, nil, ""},
		"an image from a mirror": {func(p *corev1.PodSpec) { gate(p).Image = "mirror.internal/registry.example/authproxy:v0" },
			[]string{"GateUnmodified: image of authproxy was changed from " + gate(&own).Image + " to mirror.internal/registry.example/authproxy:v0"},
			"If a webhook sends images to a mirror, give the operator the gate's image by the name that the webhook makes of it, with a digest (--authproxy-image)."},
		"a mesh": {func(p *corev1.PodSpec) {
			gate(p).ReadinessProbe.HTTPGet.Path, gate(p).ReadinessProbe.HTTPGet.Port = "/app-health/authproxy/readyz", intstr.FromInt32(15020)
			p.InitContainers = append(p.InitContainers, corev1.Container{Name: "istio-proxy"})
			p.Volumes = append(p.Volumes, corev1.Volume{Name: "istio-token", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
				Sources: []corev1.VolumeProjection{{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "t"}}}}}})
		}, []string{"readinessProbe of authproxy was changed httpGet.path from /readyz to /app-health/authproxy/readyz, httpGet.port from ", " to 15020",
			"NoServiceAccountToken: volume istio-token projects a service account token"},
			`Container istio-proxy shows that the sidecar injector of Istio was here: give the server pod.annotations sidecar.istio.io/rewriteAppHTTPProbers: "false"`},
		"a variable, whose value is not shown": {func(p *corev1.PodSpec) {
			gate(p).Env = append(gate(p).Env, corev1.EnvVar{Name: "GODEBUG", Value: "hunter2"})
		}, []string{"env of authproxy was changed [1].name from nothing to GODEBUG, [1].value from nothing to a value"}, ""},
		"two unrelated things": {func(p *corev1.PodSpec) { p.HostNetwork, p.ReadinessGates = true, nil },
			[]string{"OwnNamespaces: hostNetwork is set; ReadinessGate: readiness gate"}, ""},
	} {
		pod := *own.DeepCopy()
		c.change(&pod)
		lock := desired.LockOf(read(t, path), own)
		violations := desired.Locked(pod, lock)
		got, cure := desired.Describe(violations), desired.Cure(pod, lock, violations)
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: want %q in\n%s", name, want, got)
			}
		}
		if !strings.HasPrefix(cure, c.cure) || (c.cure == "") != (cure == "") || strings.Contains(got, "hunter2") || (got == "") != (c.want == nil) {
			t.Errorf("%s: got %q, cure %q", name, got, cure)
		}
	}
	if got := desired.Describe(make([]desired.Violation, 20)); !strings.HasSuffix(got, "and 12 more") {
		t.Errorf("got %q", got)
	}
}
