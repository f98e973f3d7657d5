package network

import (
	"cmp"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	networkingv1ac "k8s.io/client-go/applyconfigurations/networking/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// Policy opens the gate's port to all or to ingressFrom, and its admin port to the operator and metricsFrom. The
// server's own port is opened to nobody, not even to the operator: what can be reached only by the operator could not
// be told from an open door. Where the pods connect to is not restricted unless egressTo says so.
func Policy(s *v1alpha1.MCPServer, in desired.Inputs) (*networkingv1ac.NetworkPolicyApplyConfiguration, error) {
	network := cmp.Or(s.Spec.Network, &v1alpha1.Network{})
	ingress, err := ingressRules(desired.Resolve(s), *network, in)
	if err != nil {
		return nil, err
	}
	spec := networkingv1ac.NetworkPolicySpec().
		WithPodSelector(metav1ac.LabelSelector().WithMatchLabels(desired.MatchLabels(s))).
		WithPolicyTypes(networkingv1.PolicyTypeIngress).
		WithIngress(ingress...)
	if len(network.EgressTo) > 0 {
		egress, err := egressRules(network.EgressTo)
		if err != nil {
			return nil, err
		}
		spec.WithPolicyTypes(networkingv1.PolicyTypeEgress).WithEgress(egress...)
	}
	return networkingv1ac.NetworkPolicy(s.Name, s.Namespace).
		WithLabels(desired.Labels(s)).
		WithAnnotations(desired.Annotations(s, nil)).
		WithOwnerReferences(desired.Owner(s)).
		WithSpec(spec), nil
}

func ingressRules(settings desired.Settings, network v1alpha1.Network, in desired.Inputs) ([]*networkingv1ac.NetworkPolicyIngressRuleApplyConfiguration, error) {
	clients, err := peers(network.IngressFrom)
	if err != nil {
		return nil, err
	}
	rules := []*networkingv1ac.NetworkPolicyIngressRuleApplyConfiguration{
		networkingv1ac.NetworkPolicyIngressRule().WithPorts(policyPorts(in.Ports.Clients, settings.GatePort, settings.FallbackPort)...).WithFrom(clients...),
	}
	admins, err := peers(network.MetricsFrom)
	if err != nil {
		return nil, err
	}
	if in.OperatorNamespace != "" {
		operator := networkingv1ac.NetworkPolicyPeer().
			WithNamespaceSelector(metav1ac.LabelSelector().
				WithMatchLabels(map[string]string{corev1.LabelMetadataName: in.OperatorNamespace})).
			WithPodSelector(metav1ac.LabelSelector().WithMatchLabels(in.OperatorLabels))
		// It tries the lock at the front door, which ingressFrom may have closed to it.
		if len(clients) > 0 {
			rules[0].WithFrom(operator)
		}
		admins = append(admins, operator)
	}
	// A rule without peers would let everybody in.
	if len(admins) > 0 {
		rules = append(rules, networkingv1ac.NetworkPolicyIngressRule().WithPorts(policyPorts(in.Ports.Admin, settings.AdminPort)...).WithFrom(admins...))
	}
	return rules, nil
}

// policyPorts are those of the spec, and others that are in use: pods of an earlier spec have them until they are replaced.
func policyPorts(used []int32, wanted ...int32) []*networkingv1ac.NetworkPolicyPortApplyConfiguration {
	var out []*networkingv1ac.NetworkPolicyPortApplyConfiguration
	for _, port := range append(wanted, without(used, wanted)...) {
		out = append(out, tcp(port))
	}
	return out
}

// dnsPorts are those of DNS. Policies are judged by the port of the pod behind a Service: it is 5353 on OpenShift.
var dnsPorts = []int32{53, 5353}

// egressRules let DNS pass to wherever it is: a cache on the node has no pod that a selector could find.
func egressRules(to []v1alpha1.EgressPeer) ([]*networkingv1ac.NetworkPolicyEgressRuleApplyConfiguration, error) {
	dns := networkingv1ac.NetworkPolicyEgressRule()
	for _, port := range dnsPorts {
		dns.WithPorts(tcp(port), tcp(port).WithProtocol(corev1.ProtocolUDP))
	}
	rules := []*networkingv1ac.NetworkPolicyEgressRuleApplyConfiguration{dns}
	for _, peer := range to {
		targets, err := peers([]v1alpha1.NetworkPeer{peer.NetworkPeer})
		if err != nil {
			return nil, err
		}
		rule := networkingv1ac.NetworkPolicyEgressRule().WithTo(targets...)
		for _, port := range peer.Ports {
			allowed := tcp(port.Port).WithProtocol(cmp.Or(port.Protocol, corev1.ProtocolTCP))
			if port.EndPort != nil {
				allowed.WithEndPort(*port.EndPort)
			}
			rule.WithPorts(allowed)
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

func peers(from []v1alpha1.NetworkPeer) ([]*networkingv1ac.NetworkPolicyPeerApplyConfiguration, error) {
	var out []*networkingv1ac.NetworkPolicyPeerApplyConfiguration
	return out, desired.Convert(from, &out)
}

// tcp gives a port by number: not every enforcer looks for named ports among native sidecars.
func tcp(port int32) *networkingv1ac.NetworkPolicyPortApplyConfiguration {
	return networkingv1ac.NetworkPolicyPort().WithProtocol(corev1.ProtocolTCP).WithPort(intstr.FromInt32(port))
}
