package desired

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// Inputs is what the objects depend on besides the MCPServer.
type Inputs struct {
	// Keys are the published keys per Managed provider, the first of each signs.
	Keys map[string][]keys.Private
	// Rotations is what is stored beside them, per Managed provider.
	Rotations map[string][]byte
	// Cluster is the cluster's own issuer; it is asked for by providers of type Cluster only.
	Cluster Issuer
	// ProbeKey is the public half of the server's probe key; nil: there is none.
	ProbeKey *keys.Public
	// Revoked is the users' list of what is no longer accepted, as they wrote it.
	Revoked string
	// GateSecret is the data of the Secret that gate and operator share; see package turnover.
	GateSecret map[string][]byte
	// Schemas are those of the gate's configuration that gates need besides the present one.
	Schemas []int
	// ConfigFiles are what gates are given now, by the name of the file.
	ConfigFiles map[string]string
	// GateImage is the image of the gate.
	GateImage string
	// ClusterDomain is the DNS suffix of the cluster, usually cluster.local.
	ClusterDomain string
	// OperatorNamespace and OperatorLabels find the operator's pods, which must reach the gate's admin port. An empty
	// namespace means that the operator runs outside the cluster.
	OperatorNamespace string
	OperatorLabels    map[string]string
	// ReadinessGatesOff leaves the readiness gate out of every pod template, whatever the specs say.
	ReadinessGatesOff bool
}

// UnlockedError says that the pods of a spec would not be locked. Nothing may be applied.
type UnlockedError struct{ Violations []Violation }

func (e *UnlockedError) Error() string {
	var text []string
	for _, v := range e.Violations {
		text = append(text, v.String())
	}
	return "the pods would not be locked: " + strings.Join(text, "; ")
}

// Objects lists what must exist, in the order in which to apply it: what a pod needs comes before the Deployment.
// A spec whose pods would not be locked gives an *UnlockedError.
func Objects(s *v1alpha1.MCPServer, in Inputs) ([]runtime.ApplyConfiguration, error) {
	keysSecret, err := KeysSecret(s, in)
	if err != nil {
		return nil, err
	}
	publicKeys, err := PublicKeys(s, in)
	if err != nil {
		return nil, err
	}
	configMap, err := GateConfig(s, in)
	if err != nil {
		return nil, err
	}
	deployment, err := Deployment(s, in)
	if err != nil {
		return nil, err
	}
	var pod corev1.PodSpec
	if err := convert(deployment.Spec.Template.Spec, &pod); err != nil {
		return nil, err
	}
	if violations := Locked(pod, LockOf(s, pod)); len(violations) > 0 {
		return nil, &UnlockedError{Violations: violations}
	}
	networkPolicy, err := NetworkPolicy(s, in)
	if err != nil {
		return nil, err
	}
	var objects []runtime.ApplyConfiguration
	if keysSecret != nil {
		objects = append(objects, keysSecret)
	}
	objects = append(objects,
		GateSecret(s, in),
		publicKeys,
		configMap,
		ServiceAccount(s),
		networkPolicy,
		Service(s),
		deployment,
	)
	if hasBudget(s) {
		objects = append(objects, PodDisruptionBudget(s))
	}
	if s.Spec.Route != nil {
		config, err := gateConfig(s, in)
		if err != nil {
			return nil, err
		}
		objects = append(objects, HTTPRoute(s, config))
	}
	return objects, nil
}

// Unwanted lists the kinds of which a server may have an object under its own name, and this one must have none.
func Unwanted(s *v1alpha1.MCPServer) []schema.GroupVersionKind {
	var kinds []schema.GroupVersionKind
	if !hasBudget(s) {
		kinds = append(kinds, policyv1.SchemeGroupVersion.WithKind("PodDisruptionBudget"))
	}
	if s.Spec.Route == nil {
		kinds = append(kinds, HTTPRouteKind)
	}
	return kinds
}

// hasBudget: of a single pod a budget could only forbid to drain its node, or say nothing.
func hasBudget(s *v1alpha1.MCPServer) bool { return Resolve(s).Replicas > 1 }

// owner makes the MCPServer the controller of an object: it goes when the MCPServer goes.
func owner(s *v1alpha1.MCPServer) *metav1ac.OwnerReferenceApplyConfiguration {
	return metav1ac.OwnerReference().
		WithAPIVersion(v1alpha1.SchemeGroupVersion.String()).
		WithKind("MCPServer").
		WithName(s.Name).
		WithUID(s.UID).
		WithController(true).
		WithBlockOwnerDeletion(true)
}

func managedKeys(in Inputs, provider string) ([]keys.Private, error) {
	set := in.Keys[provider]
	if len(set) == 0 {
		return nil, fmt.Errorf("no key for provider %q", provider)
	}
	return set, nil
}
