package network

import (
	"cmp"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// ServiceAccount is the identity of the pods. It gets no token and no rights.
func ServiceAccount(s *v1alpha1.MCPServer) *corev1ac.ServiceAccountApplyConfiguration {
	return corev1ac.ServiceAccount(s.Name, s.Namespace).
		WithLabels(desired.Labels(s)).
		WithAnnotations(desired.Annotations(s, nil)).
		WithOwnerReferences(desired.Owner(s)).
		WithAutomountServiceAccountToken(false)
}

// Service leads to the gate, and only to pods of this very MCPServer.
func Service(s *v1alpha1.MCPServer) *corev1ac.ServiceApplyConfiguration {
	service := cmp.Or(s.Spec.Service, &v1alpha1.Service{})
	appProtocol := "http"
	if desired.Resolve(s).TLSSecret != "" {
		appProtocol = "https"
	}
	return corev1ac.Service(s.Name, s.Namespace).
		WithLabels(desired.Labels(s)).
		WithAnnotations(desired.Annotations(s, service.Annotations)).
		WithOwnerReferences(desired.Owner(s)).
		WithSpec(corev1ac.ServiceSpec().
			WithType(cmp.Or(service.Type, corev1.ServiceTypeClusterIP)).
			WithSelector(map[string]string{v1alpha1.LabelServer: s.Name, v1alpha1.LabelInstance: string(s.UID)}).
			WithPublishNotReadyAddresses(false).
			// A session of a server that keeps state lives in one pod.
			WithSessionAffinity(cmp.Or(service.SessionAffinity, corev1.ServiceAffinityClientIP)).
			WithPorts(corev1ac.ServicePort().
				WithName(desired.GatePortName).
				WithProtocol(corev1.ProtocolTCP).
				WithPort(desired.Resolve(s).GatePort).
				WithTargetPort(intstr.FromString(desired.GatePortName)).
				WithAppProtocol(cmp.Or(service.AppProtocol, appProtocol))))
}
