package controllers_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
)

var _ = Describe("A provider whose keys cannot be fetched", func() {
	It("keeps no pod out of service that serves another, and is named in the conditions", func(ctx SpecContext) {
		issuer, o := newIDP(), start(testGateImage)
		issuer.down.Store(true)
		server := newUnwatched(ctx, minutely, func(s *v1alpha1.MCPServer) {
			s.Spec.Auth = withProviders("", issuer.provider()).Spec.Auth
		})
		o.build(ctx, server)
		pod := startPod(ctx, server)
		available(ctx, server, 1, 1)
		healthy, keysReady := condition(ctx, server, v1alpha1.ConditionAuthHealthy), condition(ctx, server, v1alpha1.ConditionKeysReady)
		Eventually(func() *metav1.Condition {
			o.act(ctx, server)
			return healthy()
		}).Should(And(say(metav1.ConditionUnknown, v1alpha1.ReasonProviderKeysMissing), HaveField("Message", And(
			ContainSubstring("Provider corp: 1 of 1 pods have no keys for it, among them "+pod.pod.Name+" (the gate could not fetch it"),
			ContainSubstring("their clients are served")))))
		Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionTrue))
		Expect(ask(ctx, pod, issuer.token(time.Now().Add(time.Minute)))).To(Equal("503 no_keys"))
		Expect(keysReady()).To(say(metav1.ConditionTrue, v1alpha1.ReasonKeysPublished), "a fetch may fail for a moment")

		By("telling of it in KeysReady when it lasts")
		o.builder.Now = func() time.Time { return time.Now().Add(time.Minute) }
		o.build(ctx, server)
		Expect(keysReady()).To(And(say(metav1.ConditionFalse, v1alpha1.ReasonProviderKeysMissing), HaveField("Message", And(
			ContainSubstring("Provider corp: 1 of 1 pods have no keys for it and answer its tokens with 503 (no_keys)"),
			ContainSubstring("Tokens of all other providers are still verified.")))))
		Expect(condition(ctx, server, v1alpha1.ConditionStalled)()).To(BeNil())
		Expect(condition(ctx, server, v1alpha1.ConditionReady)()).To(say(metav1.ConditionFalse, v1alpha1.ReasonProviderKeysMissing))

		By("proving it as well once it is back")
		issuer.down.Store(false)
		rounds := 0
		Eventually(func() *metav1.Condition {
			rounds = min(rounds+1, 8)
			waitRounds(o, rounds)
			o.act(ctx, server)
			return healthy()
		}).WithTimeout(time.Minute).WithPolling(time.Second).Should(say(metav1.ConditionTrue, v1alpha1.ReasonProven))
		Expect(keysReady()).To(say(metav1.ConditionTrue, v1alpha1.ReasonKeysPublished))
		Expect(ask(ctx, pod, issuer.token(time.Now().Add(time.Minute)))).To(Equal("200"))
	})
})

var _ = Describe("A gate that was told that its pod is ending", func() {
	It("is told of where nobody ends the pod, keeps its traffic, and is proven again when it has forgotten it", func(ctx SpecContext) {
		o := start(testGateImage)
		server, pod := proveUnwatched(ctx, o, minutely)
		healthy := condition(ctx, server, v1alpha1.ConditionAuthHealthy)
		pod.says(func(state *admin.State) { state.Terminating = true })
		waitRounds(o, 1)
		o.act(ctx, server)
		Expect(healthy()).To(And(say(metav1.ConditionUnknown, v1alpha1.ReasonGateTerminating), HaveField("Message", And(
			ContainSubstring("Pod "+pod.pod.Name+": Its gate was told that the pod is ending"), ContainSubstring("/authproxy terminate")))))
		Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionTrue))

		pod.says(func(*admin.State) {})
		waitRounds(o, 2)
		o.act(ctx, server)
		Expect(healthy()).To(say(metav1.ConditionTrue, v1alpha1.ReasonProven))
	})
})
