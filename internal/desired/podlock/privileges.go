package podlock

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// reachingCapabilities reach other processes, the kernel's memory or the node.
var reachingCapabilities = []string{"ALL", "BPF", "PERFMON", "SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO"}

// privileges: a container that may trace or mount reaches into the gate. NET_ADMIN is not listed: the init containers
// of service meshes have it, and end before the gate takes traffic.
func privileges(pod corev1.PodSpec, _ Lock) []string {
	var details []string
	if pod.SecurityContext != nil && isHostProcess(pod.SecurityContext.WindowsOptions) {
		details = append(details, "the pod runs as a process of the node")
	}
	for _, c := range allContainers(pod) {
		if c.SecurityContext != nil {
			details = append(details, privilegesOf(c.Name, *c.SecurityContext)...)
		}
	}
	return details
}

func privilegesOf(container string, security corev1.SecurityContext) []string {
	var details []string
	if security.Privileged != nil && *security.Privileged {
		details = append(details, "container "+container+" is privileged")
	}
	if isHostProcess(security.WindowsOptions) {
		details = append(details, "container "+container+" is a process of the node")
	}
	if security.ProcMount != nil && *security.ProcMount != corev1.DefaultProcMount {
		details = append(details, fmt.Sprintf("container %s has procMount %s", container, *security.ProcMount))
	}
	if security.Capabilities == nil {
		return details
	}
	for _, capability := range security.Capabilities.Add {
		if slices.Contains(reachingCapabilities, strings.TrimPrefix(string(capability), "CAP_")) {
			details = append(details, fmt.Sprintf("container %s adds capability %s", container, capability))
		}
	}
	return details
}

func isHostProcess(windows *corev1.WindowsSecurityContextOptions) bool {
	return windows != nil && windows.HostProcess != nil && *windows.HostProcess
}
