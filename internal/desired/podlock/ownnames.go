package podlock

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// otherNames give names other addresses, in the gate too: that of an issuer could lead it to keys of somebody else. The
// operator sets none of these, so what a template says does not excuse them.
func otherNames(pod corev1.PodSpec, _ Lock) []string {
	var details []string
	for _, alias := range pod.HostAliases {
		details = append(details, fmt.Sprintf("hostAliases lead %s to %s", strings.Join(alias.Hostnames, ", "), alias.IP))
	}
	if pod.DNSPolicy != "" && pod.DNSPolicy != corev1.DNSClusterFirst {
		details = append(details, fmt.Sprintf("dnsPolicy is %s, not %s", pod.DNSPolicy, corev1.DNSClusterFirst))
	}
	if dns := pod.DNSConfig; dns != nil && len(dns.Nameservers) > 0 {
		details = append(details, "dnsConfig has nameservers "+strings.Join(dns.Nameservers, ", "))
	}
	if dns := pod.DNSConfig; dns != nil && len(dns.Searches) > 0 {
		details = append(details, "dnsConfig has searches "+strings.Join(dns.Searches, ", "))
	}
	// The kubelet writes the pod's own names into its hosts file, and the gate finds the pod by them.
	for _, field := range []struct{ name, value string }{
		{"hostname", pod.Hostname}, {"subdomain", pod.Subdomain}, {"hostnameOverride", ptr.Deref(pod.HostnameOverride, "")},
	} {
		if field.value != "" {
			details = append(details, fmt.Sprintf("%s is %s", field.name, field.value))
		}
	}
	if ptr.Deref(pod.SetHostnameAsFQDN, false) {
		details = append(details, "setHostnameAsFQDN is set")
	}
	return details
}

// safeSysctls of the network are those that Kubernetes lets every pod set.
var safeSysctls = []string{
	"net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports", "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ping_group_range",
	"net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_keepalive_time",
	"net.ipv4.tcp_rmem", "net.ipv4.tcp_syncookies", "net.ipv4.tcp_wmem",
}

// waysToLoopback: by route_localnet and the like, others reach the server on loopback.
func waysToLoopback(pod corev1.PodSpec, _ Lock) []string {
	if pod.SecurityContext == nil {
		return nil
	}
	var details []string
	for _, sysctl := range pod.SecurityContext.Sysctls {
		// The kernel takes slashes for dots.
		name := strings.ReplaceAll(sysctl.Name, "/", ".")
		if strings.HasPrefix(name, "net.") && !slices.Contains(safeSysctls, name) {
			details = append(details, fmt.Sprintf("sysctl %s is set to %s", sysctl.Name, sysctl.Value))
		}
	}
	return details
}

// gatePortNames: the Service follows the name of the gate's port, in whichever container that is.
func gatePortNames(pod corev1.PodSpec, _ Lock) []string {
	var details []string
	for _, c := range allContainers(pod) {
		for _, port := range c.Ports {
			if !desired.IsGate(c) && (port.Name == desired.GatePortName || port.Name == desired.AdminPortName) {
				details = append(details, fmt.Sprintf("container %s names its port %d %s, as the gate does", c.Name, port.ContainerPort, port.Name))
			}
		}
	}
	return details
}
