package main

import (
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	netv1 "k8s.io/api/networking/v1"
)

// peerSet is what one peer of a rule stands for: the addresses as nftables matches them, and the pods among them, whose
// port names an egress rule may use.
type peerSet struct {
	// match is the expression, with one %s for saddr or daddr; "" matches every address.
	match string
	pods  []*corev1.Pod
}

// peers translates the peers of a rule in a policy of namespace. No peers at all mean everyone.
func (s *snapshot) peers(namespace string, list []netv1.NetworkPolicyPeer) []peerSet {
	if len(list) == 0 {
		return []peerSet{{match: "", pods: s.pods}}
	}
	var sets []peerSet
	for _, peer := range list {
		if peer.IPBlock != nil {
			if set, ok := s.block(peer.IPBlock); ok {
				sets = append(sets, set)
			}
			continue
		}
		if pods := s.selected(namespace, peer); len(pods) > 0 {
			sets = append(sets, peerSet{match: "ip %s { " + strings.Join(addresses(pods), ", ") + " }", pods: pods})
		}
	}
	return sets
}

// block translates an address range. One of IPv6 holds no address of this cluster.
func (s *snapshot) block(b *netv1.IPBlock) (peerSet, bool) {
	within, err := netip.ParsePrefix(b.CIDR)
	if err != nil || !within.Addr().Is4() {
		return peerSet{}, false
	}
	set := peerSet{match: "ip %[1]s " + within.Masked().String()}
	if len(b.Except) > 0 {
		set.match += " ip %[1]s != { " + strings.Join(b.Except, ", ") + " }"
	}
	for _, pod := range s.pods {
		address, err := netip.ParseAddr(pod.Status.PodIP)
		if err == nil && within.Contains(address) && !slices.ContainsFunc(b.Except, contains(address)) {
			set.pods = append(set.pods, pod)
		}
	}
	return set, true
}

func contains(address netip.Addr) func(cidr string) bool {
	return func(cidr string) bool {
		prefix, err := netip.ParsePrefix(cidr)
		return err == nil && prefix.Contains(address)
	}
}

// selected gives the pods of a peer. Without a namespace selector they are of the policy's own namespace; without a pod
// selector they are all of the namespaces.
func (s *snapshot) selected(namespace string, peer netv1.NetworkPolicyPeer) []*corev1.Pod {
	var pods []*corev1.Pod
	for _, pod := range s.pods {
		if peer.NamespaceSelector == nil {
			if pod.Namespace != namespace {
				continue
			}
		} else if set, known := s.namespaces[pod.Namespace]; !known || !selects(peer.NamespaceSelector, set) {
			continue
		}
		if peer.PodSelector == nil || selects(peer.PodSelector, pod.Labels) {
			pods = append(pods, pod)
		}
	}
	return pods
}

func addresses(pods []*corev1.Pod) []string {
	list := make([]string, len(pods))
	for i, pod := range pods {
		list[i] = pod.Status.PodIP
	}
	return list
}
