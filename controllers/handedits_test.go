package controllers_test

import (
	"context"
	"encoding/json"
	"regexp"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// objectsOwned are one object of each kind that a server of two replicas has, by what is behind the server's name.
func objectsOwned() map[string]client.Object {
	return map[string]client.Object{
		"Deployment": &appsv1.Deployment{}, "Service": &corev1.Service{}, "NetworkPolicy": &networkingv1.NetworkPolicy{},
		"PodDisruptionBudget": &policyv1.PodDisruptionBudget{}, "ServiceAccount": &corev1.ServiceAccount{},
		"ConfigMap -jwks": &corev1.ConfigMap{}, "ConfigMap -authproxy": &corev1.ConfigMap{},
		"Secret -keys": &corev1.Secret{}, "Secret -gate": &corev1.Secret{},
	}
}

// suffixOf is what is behind the server's name in the name of an object of objectsOwned.
func suffixOf(kind string) string { return regexp.MustCompile(`-\w+$`).FindString(kind) }

// sent gives the Events since the last call.
func sent(recorder *events.FakeRecorder) []string {
	var all []string
	for {
		select {
		case text := <-recorder.Events:
			all = append(all, text)
		default:
			return all
		}
	}
}

// editedBy patches an object as a tool does that has this name.
func editedBy(ctx context.Context, manager string, object client.Object, patch string) {
	GinkgoHelper()
	Expect(k8s.Patch(ctx, object, client.RawPatch(types.StrategicMergePatchType, []byte(patch)), client.FieldOwner(manager))).To(Succeed())
}

var _ = Describe("An edit past the MCPServer", func() {
	It("is put right, and its tool and fields are told", func(ctx SpecContext) {
		server := newServing(ctx)
		o := start(testGateImage)
		recorded := events.NewFakeRecorder(20)
		o.builder.Events = recorded
		deployment, err := deploymentOf(ctx, server)()
		Expect(err).NotTo(HaveOccurred())
		before := deployment.DeepCopy()
		for _, c := range []struct{ manager, patch, says string }{
			{"kubectl-set", `{"spec":{"template":{"spec":{"containers":[{"name":"mcp","env":[{"name":"FOO","value":"bar"}]}],"initContainers":[{"name":"authproxy","env":[{"name":"FOO","value":"bar"}]}]}}}}`,
				`env[name="FOO"] by kubectl-set`},
			{"kubectl-rollout", `{"spec":{"paused":true}}`, "spec.paused by kubectl-rollout"},
			{"kubectl-edit", `{"spec":{"template":{"spec":{"dnsPolicy":"Default"}}}}`, "spec.template.spec.dnsPolicy by kubectl-edit"},
			{"kubectl-edit", `{"spec":{"template":{"spec":{"dnsConfig":{"nameservers":["192.0.2.1"]}}}}}`, "spec.template.spec.dnsConfig"},
			{"kubectl-patch", `{"spec":{"template":{"spec":{"containers":[{"name":"mcp","ports":[{"name":"mcp-gate","containerPort":8000}]}]}}}}`, "by kubectl-patch"},
			{"kubectl-patch", `{"spec":{"template":{"spec":{"tolerations":[{"operator":"Exists"}]}}}}`, "spec.template.spec.tolerations by kubectl-patch"},
		} {
			editedBy(ctx, c.manager, deployment, c.patch)
			o.build(ctx, server)
			Expect(sent(recorded)).To(ContainElement(And(ContainSubstring("ManualEditReverted Deployment "), ContainSubstring(c.says))))
			Expect(deploymentOf(ctx, server)()).To(HaveField("Spec", Equal(before.Spec)), c.patch)
			Expect(condition(ctx, server, v1alpha1.ConditionAccepted)()).To(say(metav1.ConditionTrue, v1alpha1.ReasonAccepted))
			o.build(ctx, server)
			Expect(sent(recorded)).To(BeEmpty(), "it is told once")
		}
	})

	It("is put right at once by an operator that runs", func(ctx SpecContext) {
		server := newServer(newNamespace(ctx), "x")
		Expect(k8s.Create(ctx, server)).To(Succeed())
		Eventually(deploymentOf(ctx, server)).ShouldNot(BeNil())
		service := &corev1.Service{}
		Eventually(func() error { return fetch(ctx, server, service, "") }).Should(Succeed())
		deployment, err := deploymentOf(ctx, server)()
		Expect(err).NotTo(HaveOccurred())
		begin := time.Now()
		editedBy(ctx, "kubectl-rollout", deployment, `{"spec":{"paused":true}}`)
		editedBy(ctx, "kubectl-edit", service, `{"spec":{"externalIPs":["192.0.2.1"]}}`)
		Eventually(deploymentOf(ctx, server)).Should(HaveField("Spec.Paused", BeFalse()))
		Eventually(func() ([]string, error) {
			err := fetch(ctx, server, service, "")
			return service.Spec.ExternalIPs, err
		}).Should(BeEmpty())
		AddReportEntry("put right after", time.Since(begin).String())
		Eventually(eventsOf(ctx, server)).Should(ContainElement(And(
			HaveField("Reason", v1alpha1.EventManualEditReverted), HaveField("Note", ContainSubstring("spec.paused by kubectl-rollout")))))
	})

	It("that has its owner forgotten is put right as well", func(ctx SpecContext) {
		server := newServing(ctx)
		o := start(testGateImage)
		deployment, err := deploymentOf(ctx, server)()
		Expect(err).NotTo(HaveOccurred())
		before := deployment.DeepCopy()
		editedBy(ctx, "mallory", deployment, `{"spec":{"template":{"spec":{"dnsPolicy":"Default"}}}}`)
		editedBy(ctx, "mallory", deployment, `{"metadata":{"managedFields":[{}]}}`)
		o.build(ctx, server)
		o.build(ctx, server)
		Expect(deploymentOf(ctx, server)()).To(HaveField("Spec", Equal(before.Spec)))
	})

	It("that takes an owner reference does not make the server lose an object", func(ctx SpecContext) {
		server := newUnwatched(ctx, func(s *v1alpha1.MCPServer) { s.Spec.Replicas = ptr.To(int32(2)) })
		o := start(testGateImage)
		o.build(ctx, server)
		keys := secretData(ctx, server, "-keys")
		for kind, object := range objectsOwned() {
			Expect(fetch(ctx, server, object, suffixOf(kind))).To(Succeed(), kind)
			editObject(ctx, object, func() { object.SetOwnerReferences(nil) })
			o.build(ctx, server)
			Expect(fetch(ctx, server, object, suffixOf(kind))).To(Succeed(), kind)
			Expect(metav1.IsControlledBy(object, server)).To(BeTrue(), kind)
			Expect(condition(ctx, server, v1alpha1.ConditionAccepted)()).To(say(metav1.ConditionTrue, v1alpha1.ReasonAccepted))
		}
		Expect(secretData(ctx, server, "-keys")).To(Equal(keys))
	})

	It("that takes all that tells whose the keys are leads to no advice by which they are lost", func(ctx SpecContext) {
		server := newServing(ctx)
		o := start(testGateImage)
		keys := secretData(ctx, server, "-keys")
		object := &corev1.Secret{}
		Expect(fetch(ctx, server, object, "-keys")).To(Succeed())
		editObject(ctx, object, func() { object.OwnerReferences, object.Labels = nil, nil })
		o.build(ctx, server)
		accepted := condition(ctx, server, v1alpha1.ConditionAccepted)()
		Expect(accepted).To(And(say(metav1.ConditionFalse, v1alpha1.ReasonNameTaken),
			HaveField("Message", And(ContainSubstring("Do not delete it"), Not(ContainSubstring("Delete or rename"))))))

		By("doing what the message says")
		advice := regexp.MustCompile(`-p '(\{.*\})'`).FindStringSubmatch(accepted.Message)
		Expect(advice).To(HaveLen(2), accepted.Message)
		Expect(json.Valid([]byte(advice[1]))).To(BeTrue())
		Expect(k8s.Patch(ctx, object, client.RawPatch(types.MergePatchType, []byte(advice[1])))).To(Succeed())
		o.build(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionAccepted)()).To(say(metav1.ConditionTrue, v1alpha1.ReasonAccepted))
		Expect(secretData(ctx, server, "-keys")).To(Equal(keys))
		Expect(fetch(ctx, server, object, "-keys")).To(Succeed())
		Expect(metav1.IsControlledBy(object, server)).To(BeTrue())
	})
})
