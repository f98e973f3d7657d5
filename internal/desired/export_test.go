package desired

import corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

// Translate is translate, for schemas that no release has yet.
var Translate = translate

// Pack gives a record of a template.
func Pack(template *corev1ac.PodTemplateSpecApplyConfiguration) string {
	packed, err := pack(template)
	if err != nil {
		panic(err)
	}
	return packed
}
