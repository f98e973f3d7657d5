package desired

import (
	"cmp"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// ServiceAccount is the identity of the pods. It gets no token and no rights.
func ServiceAccount(s *v1alpha1.MCPServer) *corev1ac.ServiceAccountApplyConfiguration {
	return corev1ac.ServiceAccount(s.Name, s.Namespace).
		WithLabels(labels(s)).
		WithOwnerReferences(owner(s)).
		WithAutomountServiceAccountToken(false)
}

// Service leads to the gate, and only to pods of this very MCPServer.
func Service(s *v1alpha1.MCPServer) *corev1ac.ServiceApplyConfiguration {
	service := firstNonNil(s.Spec.Service, &v1alpha1.Service{})
	appProtocol := "http"
	if Resolve(s).TLSSecret != "" {
		appProtocol = "https"
	}
	return corev1ac.Service(s.Name, s.Namespace).
		WithLabels(labels(s)).
		WithAnnotations(service.Annotations).
		WithOwnerReferences(owner(s)).
		WithSpec(corev1ac.ServiceSpec().
			WithType(cmp.Or(service.Type, corev1.ServiceTypeClusterIP)).
			WithSelector(map[string]string{v1alpha1.LabelServer: s.Name, v1alpha1.LabelInstance: string(s.UID)}).
			WithPublishNotReadyAddresses(false).
			// A session of a server that keeps state lives in one pod.
			WithSessionAffinity(cmp.Or(service.SessionAffinity, corev1.ServiceAffinityClientIP)).
			WithPorts(corev1ac.ServicePort().
				WithName(GatePortName).
				WithProtocol(corev1.ProtocolTCP).
				WithPort(Resolve(s).GatePort).
				WithTargetPort(intstr.FromString(GatePortName)).
				WithAppProtocol(appProtocol)))
}
