package network

import (
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// PortsOf are the ports of the gates that are in use, which may be those of an earlier spec. A port by which any of their
// servers would be reached is none of them, whatever the template says that it is.
func PortsOf(s *v1alpha1.MCPServer, deployment appsv1.Deployment, replicaSets []appsv1.ReplicaSet, pods []corev1.Pod) desired.PortsInUse {
	settings := desired.Resolve(s)
	closed := []int32{settings.Port, settings.CanaryPort}
	var out desired.PortsInUse
	for _, template := range desired.TemplatesInUse(deployment, replicaSets, pods) {
		for _, container := range template.Spec.Containers {
			for _, port := range container.Ports {
				closed = append(closed, port.ContainerPort)
			}
		}
		out.Clients = append(out.Clients, GatePort(template.Spec, desired.GatePortName), GatePort(template.Spec, desired.FallbackPortName))
		out.Admin = append(out.Admin, GatePort(template.Spec, desired.AdminPortName))
	}
	return desired.PortsInUse{Clients: without(out.Clients, closed), Admin: without(out.Admin, closed)}
}

// without are the ports but for those that are closed, each once.
func without(ports, closed []int32) []int32 {
	ports = slices.DeleteFunc(ports, func(port int32) bool { return port == 0 || slices.Contains(closed, port) })
	slices.Sort(ports)
	return slices.Compact(ports)
}
