package controllers_test

import (
	"context"
	"net/http"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// requireScope changes the spec, and proves that the gate goes by it.
func requireScope(ctx context.Context, server *v1alpha1.MCPServer, pod *simulatedPod) {
	GinkgoHelper()
	editObject(ctx, server, func() {
		server.Spec.Auth = &v1alpha1.Auth{Authorization: &v1alpha1.Authorization{RequiredScopes: []string{"mcp"}}}
	})
	start(testGateImage).build(ctx, server)
	pod.mount(ctx, server, pod.pod.Status.PodIP)
	start(testGateImage).act(ctx, server)
	Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(say(metav1.ConditionTrue, v1alpha1.ReasonProven))
}

var _ = Describe("The effective spec", func() {
	It("is what gates are tried with while a changed one cannot be carried out", func(ctx SpecContext) {
		server, pod := proveUnwatched(ctx, start(testGateImage))
		lax := *pod.client.Load()
		requireScope(ctx, server, pod)
		strict := *pod.client.Load()
		authHealthy := condition(ctx, server, v1alpha1.ConditionAuthHealthy)
		Expect(authHealthy()).To(And(say(metav1.ConditionTrue, v1alpha1.ReasonProven), HaveField("ObservedGeneration", server.Generation)))
		effective := server.Generation

		By("a slip in a change of all that clients go by")
		editObject(ctx, server, func() {
			server.Spec.Path = "/other"
			server.Spec.Auth = &v1alpha1.Auth{Revoked: &v1alpha1.Revoked{ConfigMapRef: v1alpha1.ConfigMapKeyRef{Name: "lost"}}}
		})
		start(testGateImage).act(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionAccepted)()).To(say(metav1.ConditionFalse, v1alpha1.ReasonRevocationsUnusable))
		start(testGateImage).act(ctx, server)
		Expect(authHealthy()).To(And(say(metav1.ConditionTrue, v1alpha1.ReasonProven), HaveField("ObservedGeneration", effective),
			HaveField("Message", ContainSubstring("the spec that is in force"))))

		By("a gate that does not do what the effective spec asks for")
		pod.serve(lax)
		start(testGateImage).act(ctx, server)
		Expect(authHealthy()).To(And(HaveField("Status", metav1.ConditionFalse), HaveField("Message", ContainSubstring("scope"))))
		pod.serve(strict)

		By("mending the slip")
		editObject(ctx, server, func() { server.Spec.Path, server.Spec.Auth = "", nil })
		start(testGateImage).build(ctx, server)
		pod.mount(ctx, server, pod.pod.Status.PodIP)
		start(testGateImage).act(ctx, server)
		Expect(authHealthy()).To(And(say(metav1.ConditionTrue, v1alpha1.ReasonProven), HaveField("ObservedGeneration", server.Generation),
			HaveField("Message", Not(ContainSubstring("in force")))))
	})

	It("may let more in while a round goes on", func(ctx SpecContext) {
		server, pod := proveUnwatched(ctx, start(testGateImage))
		loose := *pod.client.Load()
		requireScope(ctx, server, pod)
		var first sync.Once
		pod.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer GinkgoRecover()
			first.Do(func() {
				editObject(ctx, server, func() { server.Spec.Auth = nil })
				start(testGateImage).build(ctx, server)
			})
			loose.ServeHTTP(w, r)
		}))
		_, err := start(testGateImage).prober.Reconcile(ctx, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(server)})
		Expect(err).NotTo(HaveOccurred())
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(say(metav1.ConditionTrue, v1alpha1.ReasonProven))
		Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionTrue))
	})

	It("holds for pods that were made from an earlier one with an account of its own", func(ctx SpecContext) {
		identity := v1alpha1.Volume{Name: "identity"}
		identity.Projected = &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{{
			ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token"},
		}}}
		server, pod := proveUnwatched(ctx, start(testGateImage), func(server *v1alpha1.MCPServer) {
			server.Spec.Pod = &v1alpha1.Pod{ServiceAccountName: "cloud"}
			server.Spec.Volumes = []v1alpha1.Volume{identity}
		})
		editObject(ctx, server, func() { server.Spec.Pod, server.Spec.Volumes = nil, nil })
		start(testGateImage).act(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(say(metav1.ConditionTrue, v1alpha1.ReasonProven))
		Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionTrue))
	})
})
