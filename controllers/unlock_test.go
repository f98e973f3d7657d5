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

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// mutate has the API server change what is written to the unwatched namespace, as an admission webhook does. The patch is
// the CEL of a JSON patch. It is back once the API server does so.
func mutate(ctx context.Context, group, resource, patch string) {
	GinkgoHelper()
	const canary = "canary"
	meta := metav1.ObjectMeta{Name: fmt.Sprintf("unlock-%d", unwatchedServers.Add(1))}
	rule := func(group, resource string) admissionv1.NamedRuleWithOperations {
		return admissionv1.NamedRuleWithOperations{RuleWithOperations: admissionv1.RuleWithOperations{
			Operations: []admissionv1.OperationType{admissionv1.Create, admissionv1.Update},
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

// The gate is the first init container, and the server the first container.
const (
	gateOfTemplate = "/spec/template/spec/initContainers/0"
	gateOfPod      = "/spec/initContainers/0"
)

var _ = Describe("A webhook", func() {
	DescribeTable("that unlocks what is applied is named, and nobody gets traffic by it",
		func(ctx SpecContext, group, resource, patch, reason, names string) {
			server, pod := proveUnwatched(ctx, start(gateImage))
			mutate(ctx, group, resource, patch)
			start(gateImage).build(ctx, server)
			Expect(condition(ctx, server, v1alpha1.ConditionAccepted)()).To(And(
				say(metav1.ConditionFalse, reason), HaveField("Message", ContainSubstring(names))))
			if reason == v1alpha1.ReasonTemplateTampered {
				Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionTrue), "it is of an older revision")
				unlocked := startPod(ctx, server)
				available(ctx, server, 2, 1)
				start(gateImage).act(ctx, server)
				Expect(unlocked.proven(ctx)()).To(Equal(corev1.ConditionFalse))
				Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(say(metav1.ConditionFalse, v1alpha1.ReasonPodTampered))
			}
		},
		Entry("the gate's image", "apps", "deployments", `JSONPatch{op: "replace", path: "`+gateOfTemplate+`/image", value: "example.com/open-door"}`,
			v1alpha1.ReasonTemplateTampered, "image of authproxy"),
		Entry("the gate's arguments", "apps", "deployments", `JSONPatch{op: "add", path: "`+gateOfTemplate+`/args", value: ["--keys-dir=/tmp"]}`,
			v1alpha1.ReasonTemplateTampered, "args"),
		Entry("the gate's hook", "apps", "deployments", `JSONPatch{op: "remove", path: "`+gateOfTemplate+`/lifecycle"}`,
			v1alpha1.ReasonTemplateTampered, "lifecycle"),
		Entry("a debugger for all processes", "apps", "deployments", `JSONPatch{op: "add", path: "/spec/template/spec/shareProcessNamespace", value: true}`,
			v1alpha1.ReasonTemplateTampered, "shareProcessNamespace"),
		Entry("no readiness gate", "apps", "deployments", `JSONPatch{op: "remove", path: "/spec/template/spec/readinessGates"}`,
			v1alpha1.ReasonTemplateTampered, "readiness gate"),
		Entry("a Service of other pods", "", "services", `JSONPatch{op: "replace", path: "/spec/selector", value: {"app": "evil"}}`,
			v1alpha1.ReasonObjectTampered, "spec.selector"),
		Entry("a Service of unproven pods", "", "services", `JSONPatch{op: "add", path: "/spec/publishNotReadyAddresses", value: true}`,
			v1alpha1.ReasonObjectTampered, "spec.publishNotReadyAddresses"),
		Entry("an open policy", "networking.k8s.io", "networkpolicies", `JSONPatch{op: "replace", path: "/spec/ingress", value: [Object.spec.ingress{}]}`,
			v1alpha1.ReasonObjectTampered, "spec.ingress"),
		Entry("another policy's pods", "networking.k8s.io", "networkpolicies", `JSONPatch{op: "replace", path: "/spec/podSelector/matchLabels", value: {"app": "none"}}`,
			v1alpha1.ReasonObjectTampered, "spec.podSelector"),
		Entry("other keys", "", "configmaps", `JSONPatch{op: "replace", path: "/data", value: {"managed.jwks": "{}"}}`,
			v1alpha1.ReasonObjectTampered, "data"),
		Entry("a token for the account", "", "serviceaccounts", `JSONPatch{op: "replace", path: "/automountServiceAccountToken", value: true}`,
			v1alpha1.ReasonObjectTampered, "automountServiceAccountToken"),
	)

	DescribeTable("that unlocks a pod is found, and the pod gets no traffic",
		func(ctx SpecContext, group, resource, patch string) {
			o := start(gateImage)
			server := newUnwatched(ctx)
			o.build(ctx, server)
			mutate(ctx, group, resource, patch)
			pod := startPod(ctx, server)
			available(ctx, server, 1, 0)
			o.act(ctx, server)
			Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(And(
				say(metav1.ConditionFalse, v1alpha1.ReasonPodTampered), HaveField("Message", ContainSubstring(pod.pod.Name))))
			Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionFalse))
		},
		Entry("the gate's image", "", "pods", `JSONPatch{op: "replace", path: "`+gateOfPod+`/image", value: "example.com/open-door"}`),
		Entry("the gate's environment", "", "pods", `JSONPatch{op: "replace", path: "`+gateOfPod+`/env/0/name", value: "GODEBUG"}`),
		Entry("the gate's user", "", "pods", `JSONPatch{op: "replace", path: "`+gateOfPod+`/securityContext/runAsUser", value: 0}`),
		Entry("another process namespace", "", "pods", `JSONPatch{op: "add", path: "/spec/shareProcessNamespace", value: true}`),
		Entry("the gate's secret in the server", "", "pods",
			`JSONPatch{op: "add", path: "/spec/containers/0/volumeMounts", value: [Object.spec.containers.volumeMounts{name: "gatehouse-secret", mountPath: "/secret"}]}`),
		Entry("a privileged server", "", "pods", `JSONPatch{op: "replace", path: "/spec/containers/0/securityContext", value: Object.spec.containers.securityContext{privileged: true}}`),
	)

	It("that swaps the gate of a ReplicaSet is found by the Deployment", func(ctx SpecContext) {
		o := start(gateImage)
		server := newUnwatched(ctx)
		o.build(ctx, server)
		pod := startPodOf(ctx, server, func(template *corev1.PodSpec) { template.InitContainers[0].Image = "example.com/open-door" })
		available(ctx, server, 1, 0)
		o.act(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(And(
			say(metav1.ConditionFalse, v1alpha1.ReasonPodTampered), HaveField("Message", ContainSubstring("image of authproxy"))))
		Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionFalse))
	})
})

var _ = Describe("An ephemeral container", func() {
	It("that debugs the gate costs the pod its traffic", func(ctx SpecContext) {
		server, pod := proveUnwatched(ctx, start(gateImage))
		now := &corev1.Pod{}
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(pod.pod), now)).To(Succeed())
		now.Spec.EphemeralContainers = []corev1.EphemeralContainer{{
			EphemeralContainerCommon: corev1.EphemeralContainerCommon{
				Name: "debug", Image: "example.com/debug", TerminationMessagePolicy: corev1.TerminationMessageReadFile, ImagePullPolicy: corev1.PullAlways},
			TargetContainerName: desired.GateContainer,
		}}
		Expect(k8s.SubResource("ephemeralcontainers").Update(ctx, now)).To(Succeed())
		start(gateImage).act(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(And(
			say(metav1.ConditionFalse, v1alpha1.ReasonPodTampered), HaveField("Message", ContainSubstring("debug"))))
		Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionFalse))
	})
})
