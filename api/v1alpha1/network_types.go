package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Network says who may connect to the pods, and where they may connect to. It becomes one NetworkPolicy, which a CNI must
// enforce. The server's own port is open to nobody, whatever stands here.
type Network struct {
	// ingressFrom are those who may connect to the gate's port. Default: everybody; they need a token all the same.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	IngressFrom []NetworkPeer `json:"ingressFrom,omitempty"` //nolint:kubeapilinter // a rule of the type asks for one of its fields

	// egressTo are those to whom the pods may connect, besides DNS. Default: everybody. It holds for the server and for
	// the gate: name the issuers of remote keys, too.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	EgressTo []EgressPeer `json:"egressTo,omitempty"` //nolint:kubeapilinter // a rule of the type asks for one of its fields

	// metricsFrom are those who may connect to the gate's admin port besides the operator, to read its metrics. Default:
	// nobody.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	MetricsFrom []NetworkPeer `json:"metricsFrom,omitempty"` //nolint:kubeapilinter // a rule of the type asks for one of its fields
}

// NetworkPeer is one end of a connection, as in a NetworkPolicy: pods, or a range of addresses.
//
// +kubebuilder:validation:XValidation:rule="has(self.ipBlock) != (has(self.podSelector) || has(self.namespaceSelector))",message="a peer is either an ipBlock, or a podSelector, a namespaceSelector or both"
type NetworkPeer struct {
	// podSelector selects pods: of the namespaces of namespaceSelector, else of the MCPServer's own.
	// +optional
	PodSelector *metav1.LabelSelector `json:"podSelector,omitempty"`
	// namespaceSelector selects namespaces: all their pods, unless podSelector narrows them down.
	// +optional
	NamespaceSelector *metav1.LabelSelector `json:"namespaceSelector,omitempty"`
	// ipBlock is a range of addresses.
	// +optional
	IPBlock *IPBlock `json:"ipBlock,omitempty"`
}

// EgressPeer is a NetworkPeer, and the ports of it that may be connected to.
type EgressPeer struct {
	NetworkPeer `json:",inline"`

	// ports that may be connected to. Default: all.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Ports []NetworkPort `json:"ports,omitempty"`
}

// IPBlock is a range of addresses.
//
// +kubebuilder:validation:XValidation:rule="isCIDR(self.cidr)",message="cidr must be a range of addresses such as 10.0.0.0/8"
// +kubebuilder:validation:XValidation:rule="!has(self.except) || self.except.all(e, isCIDR(e) && isCIDR(self.cidr) && cidr(self.cidr).containsCIDR(e) && cidr(e).prefixLength() > cidr(self.cidr).prefixLength())",message="except must be ranges within cidr, and smaller than it"
type IPBlock struct {
	// cidr is the range, such as 10.0.0.0/8 or 2001:db8::/32.
	// +required
	// +kubebuilder:validation:MaxLength=50
	CIDR string `json:"cidr"`
	// except are ranges within it that do not belong to it.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=50
	Except []string `json:"except,omitempty"`
}

// NetworkPort is a port, or a range of them.
//
// +kubebuilder:validation:XValidation:rule="!has(self.endPort) || self.endPort >= self.port",message="endPort must not be smaller than port"
type NetworkPort struct {
	// protocol of the port. Default: TCP.
	// +optional
	// +kubebuilder:validation:Enum=TCP;UDP;SCTP
	Protocol corev1.Protocol `json:"protocol,omitempty"`
	// port is the port, or the first of a range.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port"`
	// endPort is the last port of the range.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	EndPort *int32 `json:"endPort,omitempty"`
}

// Service configures the Service that leads to the gate.
type Service struct {
	// type of the Service. Default: ClusterIP.
	// +optional
	// +kubebuilder:validation:Enum=ClusterIP;NodePort;LoadBalancer
	Type corev1.ServiceType `json:"type,omitempty"`

	// annotations of the Service: how cloud providers are told about their load balancers.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('mcp.gatehouse.dev/'))",message="annotations may not begin with mcp.gatehouse.dev/: those are the operator's"
	Annotations map[string]string `json:"annotations,omitempty"`

	// appProtocol of the Service's port: what gateways and meshes take the traffic for, such as kgateway.dev/mcp. Default: http,
	// or https with gate.tls.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$`
	AppProtocol string `json:"appProtocol,omitempty"`

	// sessionAffinity keeps each client's address with one pod. A server that keeps sessions in memory needs it when it
	// has more than one replica. Default: ClientIP.
	// +optional
	// +kubebuilder:validation:Enum=ClientIP;None
	SessionAffinity corev1.ServiceAffinity `json:"sessionAffinity,omitempty"`
}

// Route leads from gateways of the Gateway API to the Service.
type Route struct {
	// parentRefs are the gateways that the route attaches to.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	ParentRefs []GatewayRef `json:"parentRefs"`

	// hostnames by which clients call the server through the gateways. The gate lets them in as gate.allowedHosts does.
	// The first is that of status.address once a gateway has accepted the route.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=253
	// +kubebuilder:validation:items:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	// +kubebuilder:validation:XValidation:rule="self.all(h, !isIP(h))",message="hostnames are names, not addresses"
	Hostnames []string `json:"hostnames"`
}

// GatewayRef names a Gateway of the Gateway API.
type GatewayRef struct {
	// name of the Gateway.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
	// namespace of the Gateway. Default: the MCPServer's own.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Namespace string `json:"namespace,omitempty"`
	// sectionName is the listener of the Gateway. Default: all that let the route in.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	SectionName string `json:"sectionName,omitempty"`
}
