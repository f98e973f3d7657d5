package desired_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/network"
)

// Pods of an earlier spec have the ports of that spec. They stay open as long as there are such pods, and what leads past a
// gate is never opened.
func TestPolicyKeepsPortsThatAreInUse(t *testing.T) {
	server := read(t, "testdata/generic/in.yaml")
	server.Spec.Port = ptr.To[int32](8000)
	server.Spec.Gate = &v1alpha1.Gate{Port: ptr.To[int32](8081), AdminPort: ptr.To[int32](9091)}
	pod := func(gate, admin, bare int32) corev1.PodSpec {
		return corev1.PodSpec{
			InitContainers: []corev1.Container{{Name: desired.GateContainer, Ports: []corev1.ContainerPort{
				{Name: desired.GatePortName, ContainerPort: gate}, {Name: desired.AdminPortName, ContainerPort: admin},
			}}},
			Containers: []corev1.Container{{Name: desired.ServerContainer, Ports: []corev1.ContainerPort{{Name: desired.ServerContainer, ContainerPort: bare}}}},
		}
	}
	deployment := appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{UID: "d"}}
	deployment.Spec.Template.Spec = pod(8081, 9091, 8000)
	set := func(replicas int32, spec corev1.PodSpec, owner *appsv1.Deployment) []appsv1.ReplicaSet {
		out := appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{UID: "r"}}
		out.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(owner, appsv1.SchemeGroupVersion.WithKind("Deployment"))}
		out.Spec.Replicas, out.Spec.Template.Spec = &replicas, spec
		return []appsv1.ReplicaSet{out}
	}
	ending := func(spec corev1.PodSpec) []corev1.Pod {
		out := corev1.Pod{Spec: spec}
		out.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(&appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{UID: "r"}}, appsv1.SchemeGroupVersion.WithKind("ReplicaSet"))}
		return []corev1.Pod{out}
	}
	old := pod(8080, 9090, 8000)
	for name, c := range map[string]struct {
		sets           []appsv1.ReplicaSet
		pods           []corev1.Pod
		clients, admin []int32
	}{
		"none of an earlier spec":      {nil, nil, []int32{8081, 28080}, []int32{9091}},
		"a ReplicaSet with pods":       {set(1, old, &deployment), nil, []int32{8081, 28080, 8080}, []int32{9091, 9090}},
		"one that has none any more":   {set(0, old, &deployment), nil, []int32{8081, 28080}, []int32{9091}},
		"but a pod that is ending":     {set(0, old, &deployment), ending(old), []int32{8081, 28080, 8080}, []int32{9091, 9090}},
		"somebody else's":              {set(1, old, &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{UID: "x"}}), ending(old), []int32{8081, 28080}, []int32{9091}},
		"one that names the server's":  {set(1, pod(8000, 8000, 7000), &deployment), nil, []int32{8081, 28080}, []int32{9091}},
		"or its own server's":          {set(1, pod(7000, 7000, 7000), &deployment), nil, []int32{8081, 28080}, []int32{9091}},
		"a pod with a server's":        {set(0, old, &deployment), ending(pod(8000, 9090, 8000)), []int32{8081, 28080}, []int32{9091, 9090}},
		"or the canary, opened nobody": {set(1, pod(29090, 29090, 8000), &deployment), nil, []int32{8081, 28080}, []int32{9091}},
	} {
		t.Run(name, func(t *testing.T) {
			in := inputs(t)
			in.Ports = network.PortsOf(server, deployment, c.sets, c.pods)
			policy, err := network.Policy(server, in)
			if err != nil {
				t.Fatal(err)
			}
			var got [][]int32
			for _, rule := range policy.Spec.Ingress {
				var ports []int32
				for _, port := range rule.Ports {
					ports = append(ports, port.Port.IntVal)
				}
				got = append(got, ports)
			}
			if diff := cmp.Diff([][]int32{c.clients, c.admin}, got); diff != "" {
				t.Error(diff)
			}
			if slices.Contains(slices.Concat(got...), 8000) {
				t.Error("the server's own port is open")
			}
		})
	}
}
