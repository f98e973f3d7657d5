package inventory

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// misnamed says which label or annotation of the spec no object can have; empty if all can.
func misnamed(s *v1alpha1.MCPServer) string {
	pod := *cmp.Or(s.Spec.Pod, &v1alpha1.Pod{})
	for _, field := range []struct {
		name   string
		all    map[string]string
		labels bool
	}{
		{"spec.commonLabels", s.Spec.CommonLabels, true},
		{"spec.commonAnnotations", s.Spec.CommonAnnotations, false},
		{"spec.pod.labels", pod.Labels, true},
		{"spec.pod.annotations", pod.Annotations, false},
		{"spec.service.annotations", cmp.Or(s.Spec.Service, &v1alpha1.Service{}).Annotations, false},
	} {
		for _, key := range slices.Sorted(maps.Keys(field.all)) {
			problems := validation.IsQualifiedName(strings.ToLower(key))
			if field.labels {
				problems = append(validation.IsQualifiedName(key), validation.IsValidLabelValue(field.all[key])...)
			}
			if len(problems) > 0 {
				return fmt.Sprintf("%s[%q]: %s", field.name, key, problems[0])
			}
		}
	}
	return ""
}
