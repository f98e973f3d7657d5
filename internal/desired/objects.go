package desired

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// Inputs is what the objects depend on besides the MCPServer.
type Inputs struct {
	// Keys are the signing keys per Managed provider, the first of each signs.
	Keys map[string][]keys.Private
	// Cluster is the cluster's own issuer; it is asked for by providers of type Cluster only.
	Cluster Issuer
	// Revoked is the users' list of what is no longer accepted, as they wrote it.
	Revoked string
	// GateSecret is the secret shared by gate and operator: 32 random bytes.
	GateSecret []byte
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
	gateConfig, err := GateConfig(s, in)
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
	var objects []runtime.ApplyConfiguration
	if keysSecret != nil {
		objects = append(objects, keysSecret)
	}
	return append(objects,
		GateSecret(s, in),
		publicKeys,
		gateConfig,
		ServiceAccount(s),
		NetworkPolicy(s, in),
		Service(s),
		deployment,
	), nil
}

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
