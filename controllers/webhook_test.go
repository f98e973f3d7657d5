package controllers_test

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// mutate has the API server change what is written to the unwatched namespace, as an admission webhook does. The patch is
// the CEL of a JSON patch. It is back once the API server does so.
func mutate(ctx context.Context, group, resource, patch string) {
	GinkgoHelper()
	const canary = "canary"
	meta := metav1.ObjectMeta{Name: fmt.Sprintf("unlock-%d", unwatchedServers.Add(1))}
	operations := []admissionv1.OperationType{admissionv1.Create, admissionv1.Update}
	if resource == "pods" { // most of their fields cannot be changed later
		operations = operations[:1]
	}
	rule := func(group, resource string) admissionv1.NamedRuleWithOperations {
		return admissionv1.NamedRuleWithOperations{RuleWithOperations: admissionv1.RuleWithOperations{
			Operations: operations,
			Rule:       admissionv1.Rule{APIGroups: []string{group}, APIVersions: []string{"v1"}, Resources: []string{resource}},
		}}
	}
	policy := &admissionv1.MutatingAdmissionPolicy{ObjectMeta: meta, Spec: admissionv1.MutatingAdmissionPolicySpec{
		ReinvocationPolicy: admissionv1.NeverReinvocationPolicy,
		MatchConstraints: &admissionv1.MatchResources{
			NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: unwatched}},
			ResourceRules:     []admissionv1.NamedRuleWithOperations{rule(group, resource), rule("", "configmaps")},
		},
		Mutations: []admissionv1.Mutation{
			{PatchType: admissionv1.PatchTypeJSONPatch, JSONPatch: &admissionv1.JSONPatch{
				Expression: fmt.Sprintf(`object.metadata.name == %q || request.resource.resource != %q ? [] : [%s]`, canary, resource, patch)}},
			{PatchType: admissionv1.PatchTypeApplyConfiguration, ApplyConfiguration: &admissionv1.ApplyConfiguration{
				Expression: fmt.Sprintf(`object.metadata.name == %q ? Object{metadata: Object.metadata{annotations: {"mutated": "yes"}}} : Object{}`, canary)}},
		},
	}}
	binding := &admissionv1.MutatingAdmissionPolicyBinding{ObjectMeta: meta, Spec: admissionv1.MutatingAdmissionPolicyBindingSpec{PolicyName: meta.Name}}
	Expect(k8s.Create(ctx, policy)).To(Succeed())
	Expect(k8s.Create(ctx, binding)).To(Succeed())
	isActive := func(ctx context.Context) (bool, error) {
		object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: canary, Namespace: unwatched}}
		err := k8s.Create(ctx, object, client.DryRunAll)
		return object.Annotations["mutated"] == "yes", err
	}
	Eventually(isActive).WithContext(ctx).Should(BeTrue())
	DeferCleanup(func(ctx SpecContext) {
		Expect(k8s.Delete(ctx, binding)).To(Succeed())
		Expect(k8s.Delete(ctx, policy)).To(Succeed())
		Eventually(isActive).WithContext(ctx).Should(BeFalse())
	})
}
