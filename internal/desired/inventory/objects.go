package inventory

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/gateconfig"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/keyobjects"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/network"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/podlock"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/workload"
)

// UnlockedError says that the pods of a spec would not be locked. Nothing may be applied.
type UnlockedError struct{ Violations []podlock.Violation }

func (e *UnlockedError) Error() string {
	var text []string
	for _, v := range e.Violations {
		text = append(text, v.String())
	}
	return "the pods would not be locked: " + strings.Join(text, "; ")
}

// Of lists what must exist, in the order in which to apply it: what a pod needs comes before the Deployment.
// A spec whose pods would not be locked gives an *UnlockedError.
func Of(s *v1alpha1.MCPServer, in desired.Inputs) ([]runtime.ApplyConfiguration, error) {
	if problem := misnamed(s); problem != "" {
		return nil, &desired.InvalidError{Problem: problem}
	}
	keysSecret, err := keyobjects.KeysSecret(s, in)
	if err != nil {
		return nil, err
	}
	publicKeys, err := keyobjects.PublicKeys(s, in)
	if err != nil {
		return nil, err
	}
	configMap, err := gateconfig.ConfigMap(s, in)
	if err != nil {
		return nil, err
	}
	deployment, err := workload.Deployment(s, in)
	if err != nil {
		return nil, err
	}
	if err := locks(s, deployment); err != nil {
		return nil, err
	}
	networkPolicy, err := network.Policy(s, in)
	if err != nil {
		return nil, err
	}
	var objects []runtime.ApplyConfiguration
	if keysSecret != nil {
		objects = append(objects, keysSecret)
	}
	objects = append(objects,
		keyobjects.GateSecret(s, in),
		publicKeys,
		configMap,
		network.ServiceAccount(s),
		networkPolicy,
		network.Service(s),
		deployment,
	)
	if hasBudget(s) {
		objects = append(objects, workload.PodDisruptionBudget(s))
	}
	if s.Spec.Route != nil {
		config, err := gateconfig.Of(s, in)
		if err != nil {
			return nil, err
		}
		objects = append(objects, network.HTTPRoute(s, config))
	}
	return objects, nil
}

// locks returns an *UnlockedError if the pods of the Deployment would not be locked.
func locks(s *v1alpha1.MCPServer, deployment *appsv1ac.DeploymentApplyConfiguration) error {
	var pod corev1.PodSpec
	if err := desired.Convert(deployment.Spec.Template.Spec, &pod); err != nil {
		return err
	}
	if violations := podlock.Violations(pod, podlock.Of(s, pod)); len(violations) > 0 {
		return &UnlockedError{Violations: violations}
	}
	return nil
}

// Unwanted lists the kinds of which a server may have an object under its own name, and this one must have none.
func Unwanted(s *v1alpha1.MCPServer) []schema.GroupVersionKind {
	var kinds []schema.GroupVersionKind
	if !hasBudget(s) {
		kinds = append(kinds, policyv1.SchemeGroupVersion.WithKind("PodDisruptionBudget"))
	}
	if s.Spec.Route == nil {
		kinds = append(kinds, network.HTTPRouteKind)
	}
	return kinds
}

// hasBudget: of a single pod a budget could only forbid to drain its node, or say nothing.
func hasBudget(s *v1alpha1.MCPServer) bool { return desired.Resolve(s).Replicas > 1 }
