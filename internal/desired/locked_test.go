package desired_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/podlock"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/workload"
)

func readPodSpec(t *testing.T, path string) corev1.PodSpec {
	t.Helper()
	return podOf(t, read(t, path))
}

// podOf is the template of a server.
func podOf(t *testing.T, server *v1alpha1.MCPServer) corev1.PodSpec {
	t.Helper()
	deployment, err := workload.Deployment(server, inputs(t))
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(deployment.Spec.Template.Spec)
	if err != nil {
		t.Fatal(err)
	}
	var spec corev1.PodSpec
	if err := json.Unmarshal(data, &spec); err != nil {
		t.Fatal(err)
	}
	return spec
}

func TestOwnTemplatesAreLocked(t *testing.T) {
	for _, path := range []string{"testdata/providers/in.yaml", "testdata/policy/in.yaml", "testdata/generic/in.yaml", "testdata/quilt/in.yaml", "testdata/quilt-up-to-014/in.yaml", "testdata/every-field/in.yaml"} {
		pod := readPodSpec(t, path)
		for _, violation := range podlock.Violations(pod, podlock.Of(read(t, path), pod)) {
			t.Errorf("%s: %s", path, violation)
		}
	}
}

func gateVolume(pod *corev1.PodSpec, name string) *corev1.Volume {
	return &pod.Volumes[slices.IndexFunc(pod.Volumes, func(v corev1.Volume) bool { return v.Name == name })]
}

// What users bring is for the gate alone, too; certificates are nobody's secret.
func TestSecretsThatUsersBringAreForTheGateAlone(t *testing.T) {
	const path = "testdata/providers/in.yaml"
	own := readPodSpec(t, path)
	for secret, locked := range map[string]bool{"catalog-jwt": true, "legacy-keys": true, "corp-ca": false, "other": false} {
		pod := *own.DeepCopy()
		pod.Containers[0].EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{
			LocalObjectReference: corev1.LocalObjectReference{Name: secret}}}}
		if found := podlock.Violations(pod, podlock.Of(read(t, path), own)); (len(found) > 0) != locked {
			t.Errorf("%s in the server's environment: found %v", secret, found)
		}
	}
}

// Each row is one way to unlock a pod after the fact, or by a field of the spec.
func TestWaysToUnlockAreFound(t *testing.T) {
	const path = "testdata/generic/in.yaml"
	gate := func(pod *corev1.PodSpec) *corev1.Container { return &pod.InitContainers[0] }
	server := func(pod *corev1.PodSpec) *corev1.Container { return &pod.Containers[0] }
	cases := map[string]struct {
		unlock func(*corev1.PodSpec)
		rule   string
	}{
		"gate removed":          {func(p *corev1.PodSpec) { p.InitContainers = nil }, "GateUnmodified"},
		"gate image swapped":    {func(p *corev1.PodSpec) { gate(p).Image = "example.com/open-door" }, "GateUnmodified"},
		"gate command":          {func(p *corev1.PodSpec) { gate(p).Command = []string{"/bin/sh"} }, "GateUnmodified"},
		"gate args":             {func(p *corev1.PodSpec) { gate(p).Args = []string{"--keys-dir=/tmp"} }, "GateUnmodified"},
		"gate env":              {func(p *corev1.PodSpec) { gate(p).Env = append(gate(p).Env, corev1.EnvVar{Name: "GODEBUG"}) }, "GateUnmodified"},
		"gate env from":         {func(p *corev1.PodSpec) { gate(p).EnvFrom = []corev1.EnvFromSource{{}} }, "GateUnmodified"},
		"gate config remounted": {func(p *corev1.PodSpec) { gate(p).VolumeMounts[0].Name = "mine" }, "GateUnmodified"},
		"gate hook removed":     {func(p *corev1.PodSpec) { gate(p).Lifecycle = nil }, "GateUnmodified"},
		"gate no longer native": {func(p *corev1.PodSpec) { gate(p).RestartPolicy = nil }, "GateUnmodified"},
		"gate runs as root": {func(p *corev1.PodSpec) {
			gate(p).SecurityContext = &corev1.SecurityContext{RunAsUser: ptr.To(int64(0))}
		}, "GateUnmodified"},
		"other keys behind the gate's mount": {func(p *corev1.PodSpec) { gateVolume(p, "gatehouse-keys").Projected.Sources[0].ConfigMap.Name = "mine" }, "GateUnmodified"},
		"other configuration":                {func(p *corev1.PodSpec) { gateVolume(p, "gatehouse-config").ConfigMap.Name = "mine" }, "GateUnmodified"},
		"other gate secret":                  {func(p *corev1.PodSpec) { gateVolume(p, "gatehouse-secret").Secret.SecretName = "mine" }, "GateUnmodified"},
		"keys from a volume of another kind": {func(p *corev1.PodSpec) {
			gateVolume(p, "gatehouse-keys").VolumeSource = corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}
		}, "GateUnmodified"},
		"host network":            {func(p *corev1.PodSpec) { p.HostNetwork = true }, "OwnNamespaces"},
		"host processes":          {func(p *corev1.PodSpec) { p.HostPID = true }, "OwnNamespaces"},
		"host IPC":                {func(p *corev1.PodSpec) { p.HostIPC = true }, "OwnNamespaces"},
		"shared processes":        {func(p *corev1.PodSpec) { p.ShareProcessNamespace = ptr.To(true) }, "OwnNamespaces"},
		"host port of the server": {func(p *corev1.PodSpec) { server(p).Ports[0].HostPort = 80 }, "NoHostPort"},
		"server mounts gate secret": {func(p *corev1.PodSpec) {
			server(p).VolumeMounts = append(server(p).VolumeMounts, corev1.VolumeMount{Name: "gatehouse-secret", MountPath: "/s"})
		}, "KeysOnlyInGate"},
		"volume with the signing keys": {func(p *corev1.PodSpec) {
			p.Volumes = append(p.Volumes, corev1.Volume{Name: "x", VolumeSource: corev1.VolumeSource{
				Secret: &corev1.SecretVolumeSource{SecretName: "everything-keys"}}})
		}, "KeysOnlyInGate"},
		"projected volume with the gate secret": {func(p *corev1.PodSpec) {
			p.Volumes = append(p.Volumes, corev1.Volume{Name: "x", VolumeSource: corev1.VolumeSource{
				Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{{
					Secret: &corev1.SecretProjection{LocalObjectReference: corev1.LocalObjectReference{Name: "everything-gate"}}}}}}})
		}, "KeysOnlyInGate"},
		"signing keys in env": {func(p *corev1.PodSpec) {
			server(p).Env = append(server(p).Env, corev1.EnvVar{Name: "K", ValueFrom: &corev1.EnvVarSource{
				SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "everything-keys"}}}})
		}, "KeysOnlyInGate"},
		"signing keys in envFrom of an ephemeral container": {func(p *corev1.PodSpec) {
			p.EphemeralContainers = []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon{
				Name: "debug", EnvFrom: []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{
					LocalObjectReference: corev1.LocalObjectReference{Name: "everything-keys"}}}}}}}
		}, "KeysOnlyInGate"},
		"node's file system": {func(p *corev1.PodSpec) {
			p.Volumes = append(p.Volumes, corev1.Volume{Name: "x", VolumeSource: corev1.VolumeSource{
				HostPath: &corev1.HostPathVolumeSource{Path: "/var/lib/kubelet/pods"}}})
		}, "KeysOnlyInGate"},
		"readiness gate removed": {func(p *corev1.PodSpec) { p.ReadinessGates = nil }, "ReadinessGate"},
		"token mounted":          {func(p *corev1.PodSpec) { p.AutomountServiceAccountToken = ptr.To(true) }, "NoServiceAccountToken"},
		"token projected": {func(p *corev1.PodSpec) {
			p.Volumes = append(p.Volumes, corev1.Volume{Name: "x", VolumeSource: corev1.VolumeSource{
				Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{{
					ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token"}}}}}})
		}, "NoServiceAccountToken"},
		"server runs as the gate": {func(p *corev1.PodSpec) {
			server(p).SecurityContext.RunAsUser = gate(p).SecurityContext.RunAsUser
		}, "GateUID"},
		"pod runs as the gate": {func(p *corev1.PodSpec) { p.SecurityContext.RunAsUser = gate(p).SecurityContext.RunAsUser }, "GateUID"},
		"privileged neighbour": {func(p *corev1.PodSpec) {
			p.Containers = append(p.Containers, corev1.Container{Name: "n", SecurityContext: &corev1.SecurityContext{Privileged: ptr.To(true)}})
		}, "NoPrivileges"},
		"tracing neighbour": {func(p *corev1.PodSpec) {
			p.Containers = append(p.Containers, corev1.Container{Name: "n", SecurityContext: &corev1.SecurityContext{
				Capabilities: &corev1.Capabilities{Add: []corev1.Capability{"SYS_PTRACE"}}}})
		}, "NoPrivileges"},
		"neighbour with the kernel's memory": {func(p *corev1.PodSpec) {
			p.Containers = append(p.Containers, corev1.Container{Name: "n", SecurityContext: &corev1.SecurityContext{
				Capabilities: &corev1.Capabilities{Add: []corev1.Capability{"CAP_SYS_RAWIO"}}}})
		}, "NoPrivileges"},
		"command in the gate's liveness probe": {func(p *corev1.PodSpec) {
			gate(p).LivenessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"/authproxy"}}}}
		}, "GateUnmodified"},
		"signing keys for a driver": {func(p *corev1.PodSpec) {
			p.Volumes = append(p.Volumes, corev1.Volume{Name: "x", VolumeSource: corev1.VolumeSource{CSI: &corev1.CSIVolumeSource{
				Driver: "d", NodePublishSecretRef: &corev1.LocalObjectReference{Name: "everything-keys"}}}})
		}, "KeysOnlyInGate"},
		"another address for an issuer": {func(p *corev1.PodSpec) {
			p.HostAliases = []corev1.HostAlias{{IP: "192.0.2.1", Hostnames: []string{"login.example.com"}}}
		}, "OwnNames"},
		"debugger in the gate": {func(p *corev1.PodSpec) {
			p.EphemeralContainers = []corev1.EphemeralContainer{{TargetContainerName: desired.GateContainer}}
		}, "NoDebuggerInGate"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			own := readPodSpec(t, path)
			pod := *own.DeepCopy()
			c.unlock(&pod)
			violations := podlock.Violations(pod, podlock.Of(read(t, path), own))
			if len(violations) == 0 {
				t.Fatal("not found")
			}
			for _, v := range violations {
				if v.Rule != c.rule || strings.TrimSpace(v.Detail) == "" {
					t.Errorf("found as %q, want rule %s alone", v, c.rule)
				}
			}
		})
	}
}

// What is added to the Deployment is in the ReplicaSet as well, so comparing the two finds nothing.
func TestAdditionsToTheTemplateOfTheGateAreFound(t *testing.T) {
	const path = "testdata/generic/in.yaml"
	for name, add := range map[string]func(gate *corev1.Container){
		"command":  func(gate *corev1.Container) { gate.Command = []string{"/bin/sh"} },
		"args":     func(gate *corev1.Container) { gate.Args = []string{"--keys-dir=/tmp"} },
		"variable": func(gate *corev1.Container) { gate.Env = append(gate.Env, corev1.EnvVar{Name: "GODEBUG"}) },
		"envFrom":  func(gate *corev1.Container) { gate.EnvFrom = []corev1.EnvFromSource{{}} },
		"a command at its end": func(gate *corev1.Container) {
			gate.Lifecycle.PreStop.Exec.Command = []string{"/authproxy", "--keys-dir=/tmp"}
		},
		"a command at its start": func(gate *corev1.Container) {
			gate.Lifecycle.PostStart = &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: []string{"/authproxy", "terminate"}}}
		},
	} {
		edited := readPodSpec(t, path)
		add(&edited.InitContainers[0])
		if violations := podlock.Violations(edited, podlock.Of(read(t, path), edited)); len(violations) != 1 || violations[0].Rule != "GateUnmodified" {
			t.Errorf("%s: found %v", name, violations)
		}
	}
}

// The hook of gates up to v0.1.0-alpha.1 is a request, which they need to drain: their pods are as they must be.
func TestHookOfOlderGatesIsAllowed(t *testing.T) {
	const path = "testdata/generic/in.yaml"
	older := readPodSpec(t, path)
	older.InitContainers[0].Lifecycle.PreStop = &corev1.LifecycleHandler{HTTPGet: &corev1.HTTPGetAction{
		Path: "/terminate", Port: intstr.FromInt32(9090), Scheme: corev1.URISchemeHTTP}}
	if violations := podlock.Violations(older, podlock.Of(read(t, path), older)); len(violations) > 0 {
		t.Errorf("found %v", violations)
	}
}

// Images of quilt-mcp-server up to 0.14 check tokens themselves. What they are lent for it is that, and no more.
func TestNoMoreIsLentThanTheServerNeeds(t *testing.T) {
	const path = "testdata/quilt-up-to-014/in.yaml"
	own := readPodSpec(t, path)
	variable := func(pod *corev1.PodSpec) *corev1.EnvVar {
		env := pod.Containers[0].Env
		return &env[slices.IndexFunc(env, func(e corev1.EnvVar) bool { return e.Name == "MCP_JWT_SECRET" })]
	}
	for name, change := range map[string]func(pod *corev1.PodSpec){
		"":                  func(*corev1.PodSpec) {},
		"another variable":  func(pod *corev1.PodSpec) { variable(pod).Name = "SECRET" },
		"another data key":  func(pod *corev1.PodSpec) { variable(pod).ValueFrom.SecretKeyRef.Key = "next" },
		"another container": func(pod *corev1.PodSpec) { pod.Containers[0].Name = "other" },
		"the Secret as a file": func(pod *corev1.PodSpec) {
			pod.Volumes = append(pod.Volumes, corev1.Volume{Name: "x", VolumeSource: corev1.VolumeSource{
				Secret: &corev1.SecretVolumeSource{SecretName: "quilt-mcp-jwt"}}})
		},
		"the signing keys in its place": func(pod *corev1.PodSpec) { variable(pod).ValueFrom.SecretKeyRef.Name = "quilt-keys" },
	} {
		pod := *own.DeepCopy()
		change(&pod)
		if found := podlock.Violations(pod, podlock.Of(read(t, path), own)); (len(found) > 0) != (name != "") {
			t.Errorf("%q: found %v", name, found)
		}
	}
}
