package serverobjects

import (
	"cmp"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/ssa"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/podlock"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/workload"
	"github.com/mcp-gatehouse/gatehouse/internal/terminal"
)

// tampered finds what an admission webhook or policy made of an object on its way into the API server, as far as it
// counts for the lock. What others edit later is drift, and put right.
func tampered(server *v1alpha1.MCPServer, wanted, got *unstructured.Unstructured, live client.Object) error {
	deployment, ok := live.(*appsv1.Deployment)
	if !ok {
		if changes := ssa.ChangedFields(wanted, got); len(changes) > 0 {
			return &terminal.Error{Condition: v1alpha1.ConditionAccepted, Reason: v1alpha1.ReasonObjectTampered, Message: fmt.Sprintf(
				"%s %s does not stay as it is applied: on its way into the API server %s. Find the admission webhook or policy that does it, and exempt the object.",
				wanted.GetKind(), wanted.GetName(), ssa.Describe(changes, wanted.GetKind()))}
		}
		return nil
	}
	var asked appsv1.Deployment
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(wanted.Object, &asked); err != nil {
		return fmt.Errorf("decode Deployment %s: %w", deployment.Name, err)
	}
	if deployment.Spec.Paused {
		return &terminal.Error{Condition: v1alpha1.ConditionAccepted, Reason: v1alpha1.ReasonObjectTampered, Message: fmt.Sprintf(
			"Deployment %s does not stay as it is applied: spec.paused is set on its way into the API server, so that no change reaches its pods. "+
				"Find the admission webhook or policy that does it, and exempt the Deployment.", deployment.Name)}
	}
	lock := podlock.Of(server, workload.Defaulted(asked.Spec.Template.Spec))
	template := deployment.Spec.Template.Spec
	if violations := podlock.Violations(template, lock); len(violations) > 0 {
		cure := cmp.Or(podlock.Cure(template, lock, violations), "Find the admission webhook or policy that changes it, and exempt the Deployment.")
		return &terminal.Error{Condition: v1alpha1.ConditionAccepted, Reason: v1alpha1.ReasonTemplateTampered, Message: fmt.Sprintf(
			"The pod template of Deployment %s does not stay as it is applied: %s. Its pods get no traffic. %s",
			deployment.Name, podlock.Describe(violations), cure)}
	}
	return nil
}
