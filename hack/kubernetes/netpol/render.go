package main

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	netv1 "k8s.io/api/networking/v1"
)

// An nftables expression for the address of the other side: the source of what comes in, the destination of what goes
// out.
const (
	source      = "saddr"
	destination = "daddr"
)

// render writes the table as an nftables script that replaces it. Each pod that a policy isolates in a direction has a
// chain of what is allowed there; who is not let back from it is dropped. A packet between two isolated pods goes through
// both chains, so both must let it pass.
//
// The chains hang in the forward hook. Packets between pods pass it (those of one bridge by bridge netfilter); what the
// node itself sends does not. What belongs to an open connection is let through before, replies among them.
func (s *snapshot) render() string {
	var chains, jumps strings.Builder
	for _, pod := range s.pods {
		address := pod.Status.PodIP
		suffix := strings.ReplaceAll(address, ".", "_")
		if rules, isolated := s.egress(pod); isolated {
			writeChain(&chains, "from_"+suffix, "ip daddr "+address, rules)
			fmt.Fprintf(&jumps, "    ip saddr %s jump from_%s\n", address, suffix)
		}
		if rules, isolated := s.ingress(pod); isolated {
			writeChain(&chains, "to_"+suffix, "ip saddr "+address, rules)
			fmt.Fprintf(&jumps, "    ip daddr %s jump to_%s\n", address, suffix)
		}
	}
	// Declaring the table first makes deleting it succeed the first time too.
	return "table inet netpol\ndelete table inet netpol\ntable inet netpol {\n" + chains.String() +
		"  chain forward {\n    type filter hook forward priority filter - 5; policy accept;\n    ct state established,related accept\n" +
		jumps.String() + "  }\n}\n"
}

// writeChain lets through a pod's calls to itself, which come back to it when they go by way of its Service.
func writeChain(b *strings.Builder, name, self string, rules []string) {
	fmt.Fprintf(b, "  chain %s {\n    %s return\n", name, self)
	for _, rule := range rules {
		fmt.Fprintf(b, "    %s\n", rule)
	}
	b.WriteString("    counter drop\n  }\n")
}

// ingress gives the rules for what comes to a pod, and whether any policy isolates it there.
func (s *snapshot) ingress(pod *corev1.Pod) (rules []string, isolated bool) {
	for _, policy := range s.applying(pod, netv1.PolicyTypeIngress) {
		isolated = true
		for _, rule := range policy.Spec.Ingress {
			for _, set := range s.peers(policy.Namespace, rule.From) {
				for _, port := range portsOf(pod, rule.Ports) {
					rules = append(rules, allow(set.match, source, port))
				}
			}
		}
	}
	return rules, isolated
}

// portsOf translates the ports of an ingress rule: named ones are those of the pod itself. No ports at all mean any.
func portsOf(pod *corev1.Pod, ports []netv1.NetworkPolicyPort) []string {
	if len(ports) == 0 {
		return []string{""}
	}
	var list []string
	for _, port := range ports {
		if !named(port) {
			list = append(list, match(port))
		} else if m, ok := matchNamed(port, pod); ok {
			list = append(list, m)
		}
	}
	return list
}

// egress gives the rules for what leaves a pod, and whether any policy isolates it there.
func (s *snapshot) egress(pod *corev1.Pod) (rules []string, isolated bool) {
	for _, policy := range s.applying(pod, netv1.PolicyTypeEgress) {
		isolated = true
		for _, rule := range policy.Spec.Egress {
			for _, set := range s.peers(policy.Namespace, rule.To) {
				rules = append(rules, egressTo(set, rule.Ports)...)
			}
		}
	}
	return rules, isolated
}

// egressTo gives the rules for one peer: named ports are those of each pod that is called.
func egressTo(set peerSet, ports []netv1.NetworkPolicyPort) []string {
	if len(ports) == 0 {
		return []string{allow(set.match, destination, "")}
	}
	var rules []string
	for _, port := range ports {
		if !named(port) {
			rules = append(rules, allow(set.match, destination, match(port)))
			continue
		}
		for _, called := range set.pods {
			if m, ok := matchNamed(port, called); ok {
				rules = append(rules, allow("ip %s "+called.Status.PodIP, destination, m))
			}
		}
	}
	return rules
}

// applying gives the policies that isolate a pod in a direction.
func (s *snapshot) applying(pod *corev1.Pod, direction netv1.PolicyType) []*netv1.NetworkPolicy {
	var list []*netv1.NetworkPolicy
	for _, policy := range s.policies {
		if policy.Namespace == pod.Namespace && slices.Contains(policy.Spec.PolicyTypes, direction) && selects(&policy.Spec.PodSelector, pod.Labels) {
			list = append(list, policy)
		}
	}
	return list
}

// allow joins the two halves of a rule, of which either may be empty.
func allow(peer, side, port string) string {
	parts := make([]string, 0, 3)
	if peer != "" {
		parts = append(parts, fmt.Sprintf(peer, side))
	}
	if port != "" {
		parts = append(parts, port)
	}
	return strings.Join(append(parts, "return"), " ")
}
