package authprobe

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// meshProxies are the containers that service meshes put into pods: Istio and Linkerd.
var meshProxies = []string{"istio-proxy", "linkerd-proxy"}

// hasMeshProxy tells that a mesh proxy runs in the pod, as a container or as a native sidecar.
func hasMeshProxy(pod corev1.Pod) bool {
	return slices.ContainsFunc(slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers), func(c corev1.Container) bool {
		return slices.Contains(meshProxies, c.Name)
	})
}

// meshed tells that a mesh stands between the operator and the pods: all that do not give proof have a proxy that cut
// the connection, and nothing but such pods fails.
func meshed(counted []subject) bool {
	cut := false
	for _, s := range counted {
		switch e := s.worst(); {
		case e.grade == proven && !s.mesh:
		case e.cut && s.mesh:
			cut = true
		default:
			return false
		}
	}
	return cut
}

// inTheWay makes a verdict on connections that a mesh cut the one that it is: nothing is known of the gate behind.
func (j judgement) inTheWay() judgement {
	j.status, j.reason = metav1.ConditionUnknown, v1alpha1.ReasonMeshInTheWay
	j.message = "The mesh proxies of all pods that have one cut the operator's connections, as they do with what does not come from the mesh. " +
		"Let the gate's two ports be reached without mutual TLS (Istio: a PeerAuthentication with portLevelMtls PERMISSIVE; " +
		"Linkerd: config.linkerd.io/skip-inbound-ports), or take the operator into the mesh. " + j.message
	return j
}
