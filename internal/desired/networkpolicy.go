package desired

import (
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	networkingv1ac "k8s.io/client-go/applyconfigurations/networking/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// NetworkPolicy opens the gate's port to all and its admin port to the operator. The server's own port is opened to
// nobody, not even to the operator: what can be reached only by the operator could not be told from an open door.
func NetworkPolicy(s *v1alpha1.MCPServer, in Inputs) *networkingv1ac.NetworkPolicyApplyConfiguration {
	settings := Resolve(s)
	rules := []*networkingv1ac.NetworkPolicyIngressRuleApplyConfiguration{
		networkingv1ac.NetworkPolicyIngressRule().WithPorts(tcp(settings.GatePort)),
	}
	if in.OperatorNamespace != "" {
		rules = append(rules, networkingv1ac.NetworkPolicyIngressRule().
			WithPorts(tcp(settings.AdminPort)).
			WithFrom(networkingv1ac.NetworkPolicyPeer().
				WithNamespaceSelector(metav1ac.LabelSelector().
					WithMatchLabels(map[string]string{corev1.LabelMetadataName: in.OperatorNamespace})).
				WithPodSelector(metav1ac.LabelSelector().WithMatchLabels(in.OperatorLabels))))
	}
	return networkingv1ac.NetworkPolicy(s.Name, s.Namespace).
		WithLabels(labels(s)).
		WithOwnerReferences(owner(s)).
		WithSpec(networkingv1ac.NetworkPolicySpec().
			WithPodSelector(metav1ac.LabelSelector().WithMatchLabels(selector(s))).
			WithPolicyTypes(networkingv1.PolicyTypeIngress).
			WithIngress(rules...))
}

// tcp gives a port by number: not every enforcer looks for named ports among native sidecars.
func tcp(port int32) *networkingv1ac.NetworkPolicyPortApplyConfiguration {
	return networkingv1ac.NetworkPolicyPort().WithProtocol(corev1.ProtocolTCP).WithPort(intstr.FromInt32(port))
}
