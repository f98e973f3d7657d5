package desired_test

import (
	"encoding/json"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	"k8s.io/utils/ptr"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

func TestChangeOf(t *testing.T) {
	for what, c := range map[string]struct {
		server func(*v1alpha1.MCPServer)
		in     func(*desired.Inputs)
		live   func(*appsv1.Deployment)
		want   desired.Change
	}{
		"nothing": {want: desired.Unchanged},
		"another spec of the same pods": {
			server: func(s *v1alpha1.MCPServer) {
				s.Generation, s.Spec.AuthProbe = 9, &v1alpha1.AuthProbe{IntervalSeconds: ptr.To(int32(9))}
			},
			want: desired.Unchanged},
		"another gate": {in: anotherGate, want: desired.Upgraded},
		"another gate, and another number of pods": {
			server: func(s *v1alpha1.MCPServer) { s.Generation, s.Spec.Replicas = 9, ptr.To(int32(5)) },
			in:     anotherGate, want: desired.Upgraded},
		"another gate, and another default of the schema": {
			server: func(s *v1alpha1.MCPServer) { s.Spec.ImagePullPolicy = corev1.PullAlways },
			in:     anotherGate, want: desired.Upgraded},
		"another gate, and another spec": {
			server: func(s *v1alpha1.MCPServer) { s.Generation, s.Spec.ImagePullPolicy = 9, corev1.PullAlways },
			in:     anotherGate, want: desired.Asked},
		"a restart": {
			server: func(s *v1alpha1.MCPServer) { s.Annotations = map[string]string{v1alpha1.AnnotationRestartedAt: "now"} },
			want:   desired.Asked},
		"no readiness gate any more": {
			in: func(in *desired.Inputs) { in.ReadinessGatesOff = true }, want: desired.Asked},
		"a readiness gate again": {
			live: func(d *appsv1.Deployment) {
				open := deploymentOf(t, read(t, "testdata/generic/in.yaml"), desired.Inputs{GateImage: "example.com/authproxy:v1", ReadinessGatesOff: true})
				*d = *stored(t, open)
			}, want: desired.Upgraded},
		"nothing known": {live: func(d *appsv1.Deployment) { d.Annotations = nil }, in: anotherGate, want: desired.Asked},
		"nothing known of what was asked": {
			live: func(d *appsv1.Deployment) { delete(d.Annotations, v1alpha1.AnnotationAsked) }, in: anotherGate, want: desired.Asked},
		"nonsense": {
			live: func(d *appsv1.Deployment) { d.Annotations[v1alpha1.AnnotationTemplate] = "H4sIAAAA" }, in: anotherGate, want: desired.Asked},
		"a record of something that is not locked": {
			live: func(d *appsv1.Deployment) {
				open := read(t, "testdata/generic/in.yaml")
				config := deploymentOf(t, open, desired.Inputs{GateImage: "example.com/authproxy:v1", ReadinessGatesOff: true})
				config.Spec.Template.Spec.WithHostNetwork(true)
				d.Annotations[v1alpha1.AnnotationTemplate] = desired.Pack(config.Spec.Template)
			}, in: anotherGate, want: desired.Asked},
	} {
		t.Run(what, func(t *testing.T) {
			server, in := read(t, "testdata/generic/in.yaml"), inputs(t)
			live := stored(t, deploymentOf(t, server, in))
			for _, change := range []func(){
				func() { do(c.server, server) }, func() { do(c.in, &in) }, func() { do(c.live, live) },
			} {
				change()
			}
			wanted := deploymentOf(t, server, in)
			got, held, err := desired.ChangeOf(server, wanted, live)
			if err != nil || got != c.want || (held != nil) != (got == desired.Upgraded) {
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
			if again, _, err := desired.ChangeOf(server, held, live); err != nil || again != desired.Unchanged {
				t.Errorf("held is %v, %v", again, err)
			}
		})
	}
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
	config, err := desired.Deployment(server, in)
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
