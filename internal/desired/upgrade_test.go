package desired_test

import (
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/utils/ptr"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/workload"
)

func TestChangeOf(t *testing.T) {
	for what, c := range map[string]struct {
		server func(*v1alpha1.MCPServer)
		in     func(*desired.Inputs)
		live   func(*appsv1.Deployment)
		// status is what it says when all that is done; else it has the digest of the record.
		status func(*v1alpha1.MCPServerStatus)
		want   workload.Change
	}{
		"nothing": {want: workload.Unchanged},
		"another spec of the same pods": {
			server: func(s *v1alpha1.MCPServer) {
				s.Generation, s.Spec.AuthProbe = 9, &v1alpha1.AuthProbe{IntervalSeconds: ptr.To(int32(9))}
			},
			want: workload.Unchanged},
		"another gate": {in: anotherGate, want: workload.Upgraded},
		"another gate, and another number of pods": {
			server: func(s *v1alpha1.MCPServer) { s.Generation, s.Spec.Replicas = 9, ptr.To(int32(5)) },
			in:     anotherGate, want: workload.Upgraded},
		"another gate, and another default of the schema": {
			server: func(s *v1alpha1.MCPServer) { s.Spec.ImagePullPolicy = corev1.PullAlways },
			in:     anotherGate, want: workload.Upgraded},
		"another gate, and another spec": {
			server: func(s *v1alpha1.MCPServer) { s.Generation, s.Spec.ImagePullPolicy = 9, corev1.PullAlways },
			in:     anotherGate, want: workload.Asked},
		"a restart": {
			server: func(s *v1alpha1.MCPServer) { s.Annotations = map[string]string{v1alpha1.AnnotationRestartedAt: "now"} },
			want:   workload.Asked},
		"no readiness gate any more": {
			in: func(in *desired.Inputs) { in.ReadinessGatesOff = true }, want: workload.Asked},
		"a readiness gate again": {
			live: func(d *appsv1.Deployment) {
				open := deploymentOf(t, read(t, "testdata/generic/in.yaml"), desired.Inputs{GateImage: "example.com/authproxy:v1", ReadinessGatesOff: true})
				*d = *stored(t, open)
			}, want: workload.Upgraded},
		"nothing known": {live: func(d *appsv1.Deployment) { d.Annotations = nil }, in: anotherGate, want: workload.Asked},
		"nothing known of what was asked": {
			live: func(d *appsv1.Deployment) { delete(d.Annotations, v1alpha1.AnnotationAsked) }, in: anotherGate, want: workload.Asked},
		"nonsense": {
			live: func(d *appsv1.Deployment) { d.Annotations[v1alpha1.AnnotationTemplate] = "H4sIAAAA" }, in: anotherGate, want: workload.Asked},
		"a record that somebody else has written": {
			live: func(d *appsv1.Deployment) {
				d.Spec.Template.Spec.InitContainers[0].Image = "example.com/open-door"
				d.Annotations[v1alpha1.AnnotationTemplate] = recordOf(t, d.Spec.Template)
			},
			status: func(*v1alpha1.MCPServerStatus) {}, in: anotherGate, want: workload.Asked},
		"a record of before the last, which the operator has written": {
			live: func(d *appsv1.Deployment) {
				in := inputs(t)
				in.GateImage = "example.com/authproxy:v0"
				*d = *stored(t, deploymentOf(t, read(t, "testdata/generic/in.yaml"), in))
			},
			status: func(*v1alpha1.MCPServerStatus) {}, in: anotherGate, want: workload.Asked},
		"a status that was lost": {
			status: func(s *v1alpha1.MCPServerStatus) { *s = v1alpha1.MCPServerStatus{} }, in: anotherGate, want: workload.Asked},
		"a record of the first release": {
			live: ofFirstRelease(t, func(*corev1.PodTemplateSpec) {}), status: saysGate("example.com/authproxy:v1"),
			in: anotherGate, want: workload.Upgraded},
		"a record of the first release with another gate than the status says": {
			live: ofFirstRelease(t, func(*corev1.PodTemplateSpec) {}), status: saysGate("example.com/authproxy:v0"),
			in: anotherGate, want: workload.Asked},
		"a record of the first release with other keys": {
			live: ofFirstRelease(t, func(made *corev1.PodTemplateSpec) {
				gateVolume(&made.Spec, "gatehouse-keys").Projected.Sources[0].ConfigMap.Name = "mine"
			}), status: saysGate("example.com/authproxy:v1"), in: anotherGate, want: workload.Asked},
		"a record of the first release with a hook of somebody's": {
			live: ofFirstRelease(t, func(made *corev1.PodTemplateSpec) {
				made.Spec.InitContainers[0].Lifecycle.PreStop.HTTPGet.Host = "192.0.2.1"
			}), status: saysGate("example.com/authproxy:v1"), in: anotherGate, want: workload.Asked},
		"a record of something that is not locked": {
			live: func(d *appsv1.Deployment) {
				open := read(t, "testdata/generic/in.yaml")
				config := deploymentOf(t, open, desired.Inputs{GateImage: "example.com/authproxy:v1", ReadinessGatesOff: true})
				config.Spec.Template.Spec.WithHostNetwork(true)
				d.Annotations[v1alpha1.AnnotationTemplate] = recordText(t, config.Spec.Template)
			}, in: anotherGate, want: workload.Asked},
	} {
		t.Run(what, func(t *testing.T) {
			server, in := read(t, "testdata/generic/in.yaml"), inputs(t)
			live := stored(t, deploymentOf(t, server, in))
			server.Status.GateImage, server.Status.Template = in.GateImage, workload.RecordDigest(live.Annotations)
			for _, change := range []func(){
				func() { do(c.server, server) }, func() { do(c.in, &in) }, func() { do(c.live, live) },
			} {
				change()
			}
			if c.status == nil {
				server.Status.Template = workload.RecordDigest(live.Annotations)
			}
			do(c.status, &server.Status)
			wanted := deploymentOf(t, server, in)
			got, held, err := workload.ChangeOf(server, wanted, live)
			if err != nil || got != c.want || (held != nil) != (got == workload.Upgraded) {
				t.Fatalf("got %v, held %v, %v", got, held != nil, err)
			}
			if held == nil {
				return
			}
			if image := *held.Spec.Template.Spec.InitContainers[0].Image; image != "example.com/authproxy:v1" {
				t.Errorf("the template that is held has the gate %s", image)
			}
			if *held.Spec.Replicas != *wanted.Spec.Replicas || *wanted.Spec.Template.Spec.InitContainers[0].Image != in.GateImage {
				t.Error("something else is held back, or what is wanted has changed")
			}
			if again, _, err := workload.ChangeOf(server, held, live); err != nil || again != workload.Unchanged {
				t.Errorf("held is %v, %v", again, err)
			}
		})
	}
}

// ofFirstRelease makes a Deployment what v0.1.0-alpha.1 left of it, but for a change.
func ofFirstRelease(t *testing.T, change func(*corev1.PodTemplateSpec)) func(*appsv1.Deployment) {
	t.Helper()
	return func(d *appsv1.Deployment) {
		d.Spec.Template.Annotations[v1alpha1.AnnotationConfigSchema] = "1"
		d.Spec.Template.Spec.InitContainers[0].Lifecycle.PreStop = &corev1.LifecycleHandler{HTTPGet: &corev1.HTTPGetAction{
			Path: "/terminate", Port: intstr.FromInt32(9090), Scheme: corev1.URISchemeHTTP}}
		gate := &d.Spec.Template.Spec.InitContainers[0]
		gate.Ports = slices.DeleteFunc(gate.Ports, func(port corev1.ContainerPort) bool { return port.Name == desired.FallbackPortName })
		gateVolume(&d.Spec.Template.Spec, "gatehouse-config").ConfigMap.Items = nil
		change(&d.Spec.Template)
		d.Annotations[v1alpha1.AnnotationTemplate] = recordOf(t, d.Spec.Template)
	}
}

func saysGate(image string) func(*v1alpha1.MCPServerStatus) {
	return func(s *v1alpha1.MCPServerStatus) { *s = v1alpha1.MCPServerStatus{GateImage: image} }
}

// recordOf is the record of a template.
func recordOf(t *testing.T, made corev1.PodTemplateSpec) string {
	t.Helper()
	data, err := json.Marshal(made)
	if err != nil {
		t.Fatal(err)
	}
	template := corev1ac.PodTemplateSpec()
	if err := json.Unmarshal(data, template); err != nil {
		t.Fatal(err)
	}
	return recordText(t, template)
}

func TestLargeTemplatesAreNotRecorded(t *testing.T) {
	server := read(t, "testdata/generic/in.yaml")
	for i := range 20000 {
		server.Spec.Args = append(server.Spec.Args, strings.Repeat(string(rune('a'+i%26)), i%9)+strings.ToUpper(server.Name)+string(rune(i)))
	}
	if _, found := deploymentOf(t, server, inputs(t)).Annotations[v1alpha1.AnnotationTemplate]; found {
		t.Error("the API server will refuse the annotations")
	}
}

func anotherGate(in *desired.Inputs) { in.GateImage = "example.com/authproxy:v2" }

func do[T any](change func(*T), to *T) {
	if change != nil {
		change(to)
	}
}

func deploymentOf(t *testing.T, server *v1alpha1.MCPServer, in desired.Inputs) *appsv1ac.DeploymentApplyConfiguration {
	t.Helper()
	config, err := workload.Deployment(server, in)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// stored is a Deployment as it was applied.
func stored(t *testing.T, config *appsv1ac.DeploymentApplyConfiguration) *appsv1.Deployment {
	t.Helper()
	data, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	var live appsv1.Deployment
	if err := json.Unmarshal(data, &live); err != nil {
		t.Fatal(err)
	}
	return &live
}

// recordText gives a record of a template.
func recordText(t *testing.T, template *corev1ac.PodTemplateSpecApplyConfiguration) string {
	t.Helper()
	var out strings.Builder
	base := base64.NewEncoder(base64.StdEncoding, &out)
	writer := gzip.NewWriter(base)
	if err := errors.Join(json.NewEncoder(writer).Encode(template), writer.Close(), base.Close()); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
