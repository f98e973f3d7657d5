package desired_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/podlock"
)

// A message lists all that is wrong with a pod, with both values, and what to do if the pod shows who did it.
func TestAllViolationsAreDescribed(t *testing.T) {
	const path = "testdata/generic/in.yaml"
	own := readPodSpec(t, path)
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
		"another mesh": {func(p *corev1.PodSpec) {
			gate(p).ReadinessProbe.HTTPGet.Port = intstr.FromInt32(4191)
			p.InitContainers = append(p.InitContainers, corev1.Container{Name: "linkerd-proxy"})
		}, []string{"readinessProbe of authproxy was changed httpGet.port from "},
			"Container linkerd-proxy shows that the proxy injector of Linkerd was here: keep it out of the pods with pod.annotations linkerd.io/inject: disabled."},
		"an agent that brings secrets": {func(p *corev1.PodSpec) {
			gate(p).VolumeMounts = append(gate(p).VolumeMounts, corev1.VolumeMount{Name: "vault-secrets", MountPath: "/vault/secrets"})
			p.Containers = append(p.Containers, corev1.Container{Name: "vault-agent"})
		}, []string{"volumeMounts of authproxy was changed"},
			`Container vault-agent shows that the agent injector of Vault was here: keep it out of the pods with pod.annotations vault.hashicorp.com/agent-inject: "false".`},
		"a variable, whose value is not shown": {func(p *corev1.PodSpec) {
			gate(p).Env = append(gate(p).Env, corev1.EnvVar{Name: "GODEBUG", Value: "hunter2"})
		}, []string{"env of authproxy was changed [1].name from nothing to GODEBUG, [1].value from nothing to a value"}, ""},
		"the identity webhook of a cloud": {func(p *corev1.PodSpec) {
			gate(p).Env = append(gate(p).Env, corev1.EnvVar{Name: "AWS_WEB_IDENTITY_TOKEN_FILE", Value: "/token"})
		}, []string{"env of authproxy was changed"},
			"Variable AWS_WEB_IDENTITY_TOKEN_FILE of container authproxy shows that the identity webhook of EKS was here: keep it from the gate with pod.annotations eks.amazonaws.com/skip-containers: authproxy."},
		"such a variable in the server alone": {func(p *corev1.PodSpec) {
			p.Containers[0].Env = append(p.Containers[0].Env, corev1.EnvVar{Name: "AWS_WEB_IDENTITY_TOKEN_FILE"})
		}, nil, ""},
		"other name servers": {func(p *corev1.PodSpec) {
			p.DNSPolicy, p.DNSConfig = corev1.DNSNone, &corev1.PodDNSConfig{Nameservers: []string{"192.0.2.53"}, Searches: []string{"evil.example"}}
		}, []string{"OwnNames: dnsPolicy is None, not ClusterFirst", "OwnNames: dnsConfig has nameservers 192.0.2.53", "OwnNames: dnsConfig has searches evil.example"}, ""},
		"options of the resolver": {func(p *corev1.PodSpec) {
			p.DNSPolicy, p.DNSConfig = corev1.DNSClusterFirst, &corev1.PodDNSConfig{Options: []corev1.PodDNSConfigOption{{Name: "ndots"}}}
		}, nil, ""},
		"two unrelated things": {func(p *corev1.PodSpec) { p.HostNetwork, p.ReadinessGates = true, nil },
			[]string{"OwnNamespaces: hostNetwork is set; ReadinessGate: readiness gate"}, ""},
	} {
		pod := *own.DeepCopy()
		c.change(&pod)
		lock := podlock.Of(read(t, path), own)
		violations := podlock.Violations(pod, lock)
		got, cure := podlock.Describe(violations), podlock.Cure(pod, lock, violations)
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: want %q in\n%s", name, want, got)
			}
		}
		if !strings.HasPrefix(cure, c.cure) || (c.cure == "") != (cure == "") || strings.Contains(got, "hunter2") || (got == "") != (c.want == nil) {
			t.Errorf("%s: got %q, cure %q", name, got, cure)
		}
	}
	if got := podlock.Describe(make([]podlock.Violation, 20)); !strings.HasSuffix(got, "and 12 more") {
		t.Errorf("got %q", got)
	}
}

// What a message advises against the sidecar of Istio is enough: with both settings the sidecar may stay.
func TestCureOfIstioIsEnough(t *testing.T) {
	injected := func(p *corev1.PodSpec) {
		p.InitContainers = append(p.InitContainers, corev1.Container{Name: "istio-init"}, corev1.Container{Name: "istio-proxy", RestartPolicy: ptr.To(corev1.ContainerRestartPolicyAlways)})
		p.Volumes = append(p.Volumes, corev1.Volume{Name: "istio-token", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
			Sources: []corev1.VolumeProjection{{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "istio-token"}}}}}})
	}
	for account, locked := range map[string]bool{"": false, "tools": true} {
		server := read(t, "testdata/generic/in.yaml")
		server.Spec.Pod = &v1alpha1.Pod{ServiceAccountName: account}
		own := podOf(t, server)
		pod := *own.DeepCopy()
		injected(&pod)
		if violations := podlock.Violations(pod, podlock.Of(server, own)); (len(violations) == 0) != locked {
			t.Errorf("with service account %q: %s", account, podlock.Describe(violations))
		}
	}
}
