package mcpserver

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// tampered finds what an admission webhook or policy made of an object on its way into the API server, as far as it
// counts for the lock. What others edit later is drift, and put right.
func tampered(server *v1alpha1.MCPServer, wanted, got *unstructured.Unstructured, live client.Object) error {
	deployment, ok := live.(*appsv1.Deployment)
	if !ok {
		if field := changedField(wanted.Object, got.Object); field != "" {
			return &problem{v1alpha1.ConditionAccepted, v1alpha1.ReasonObjectTampered, fmt.Sprintf(
				"%s %s does not stay as it is applied: %s is changed on its way into the API server. Find the admission webhook or policy that does it, and exempt the object.",
				wanted.GetKind(), wanted.GetName(), field)}
		}
		return nil
	}
	var asked appsv1.Deployment
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(wanted.Object, &asked); err != nil {
		return fmt.Errorf("decode Deployment %s: %w", deployment.Name, err)
	}
	lock := desired.LockOf(server, desired.Defaulted(asked.Spec.Template.Spec))
	template := deployment.Spec.Template.Spec
	if violations := desired.Locked(template, lock); len(violations) > 0 {
		cure := cmp.Or(desired.Cure(template, lock, violations), "Find the admission webhook or policy that changes it, and exempt the Deployment.")
		return &problem{v1alpha1.ConditionAccepted, v1alpha1.ReasonTemplateTampered, fmt.Sprintf(
			"The pod template of Deployment %s does not stay as it is applied: %s. Its pods get no traffic. %s",
			deployment.Name, desired.Describe(violations), cure)}
	}
	return nil
}

// changedField names a field outside of the metadata that is not as wanted.
func changedField(wanted, got map[string]any) string {
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		if name == "metadata" {
			continue
		}
		if found := firstDifference(wanted[name], got[name], name); found != "" {
			return found
		}
	}
	return ""
}

// firstDifference names the field that is not as wanted. What is not wanted may have any value, and what is wanted to be
// empty may be absent.
func firstDifference(wanted, got any, path string) string {
	switch want := wanted.(type) {
	case map[string]any:
		return firstDifferentField(want, got, path)
	case []any:
		return firstDifferentItem(want, got, path)
	}
	absent := got == nil && (wanted == false || wanted == "" || wanted == int64(0))
	if absent || wanted == got {
		return ""
	}
	return path
}

func firstDifferentField(want map[string]any, got any, path string) string {
	have, ok := got.(map[string]any)
	if !ok && len(want) > 0 {
		return path
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if found := firstDifference(want[name], have[name], path+"."+name); found != "" {
			return found
		}
	}
	return ""
}

func firstDifferentItem(want []any, got any, path string) string {
	have, _ := got.([]any)
	if len(have) != len(want) {
		return path
	}
	for i := range want {
		if found := firstDifference(want[i], have[i], fmt.Sprintf("%s[%d]", path, i)); found != "" {
			return found
		}
	}
	return ""
}
