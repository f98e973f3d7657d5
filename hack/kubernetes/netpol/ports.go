package main

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	netv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// named tells whether a port is given by name, so that its number depends on the pod that is called.
func named(port netv1.NetworkPolicyPort) bool {
	return port.Port != nil && port.Port.Type == intstr.String
}

// match gives the expression for a port that has no name: all ports of the protocol, a range, or one.
func match(port netv1.NetworkPolicyPort) string {
	protocol := protocolOf(port)
	switch {
	case port.Port == nil:
		return "meta l4proto " + protocol
	case port.EndPort != nil:
		return fmt.Sprintf("%s dport %d-%d", protocol, port.Port.IntVal, *port.EndPort)
	default:
		return fmt.Sprintf("%s dport %d", protocol, port.Port.IntVal)
	}
}

// matchNamed gives the expression for a named port of the pod that is called; false when the pod has none of that name.
func matchNamed(port netv1.NetworkPolicyPort, called *corev1.Pod) (string, bool) {
	protocol := protocolOf(port)
	for _, container := range containers(called) {
		for _, p := range container.Ports {
			if p.Name == port.Port.StrVal && strings.EqualFold(string(p.Protocol), protocol) {
				return fmt.Sprintf("%s dport %d", protocol, p.ContainerPort), true
			}
		}
	}
	return "", false
}

// containers gives those that run for the life of the pod: the main ones and the sidecars, which are init containers
// that are always restarted.
func containers(pod *corev1.Pod) []corev1.Container {
	list := append([]corev1.Container(nil), pod.Spec.Containers...)
	for _, c := range pod.Spec.InitContainers {
		if c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			list = append(list, c)
		}
	}
	return list
}

func protocolOf(port netv1.NetworkPolicyPort) string {
	if port.Protocol == nil {
		return "tcp"
	}
	return strings.ToLower(string(*port.Protocol))
}
