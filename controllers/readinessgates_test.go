package controllers_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

var _ = Describe("An operator without readiness gates", func() {
	It("lets pods take traffic without proof, keeps trying their locks, and takes the gates up again", func(ctx SpecContext) {
		o := start(testGateImage)
		server, gated := proveUnwatched(ctx, o, minutely)
		Expect(gated.spec.ReadinessGates).To(ConsistOf(HaveField("ConditionType", BeEquivalentTo(v1alpha1.ConditionPodAuthProven))))

		By("leaving them out")
		o.builder.Inputs.ReadinessGatesOff = true
		o.act(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionAccepted)()).To(say(metav1.ConditionTrue, v1alpha1.ReasonAccepted))
		free := startPod(ctx, server)
		Expect(free.spec.ReadinessGates).To(BeEmpty(), "so it is ready as soon as its containers are")
		free.serveAdmin(answerWith(404))
		waitRounds(o, 1)
		o.act(ctx, server)
		Expect(free.proven(ctx)()).To(Equal(corev1.ConditionUnknown))
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(And(
			say(metav1.ConditionUnknown, v1alpha1.ReasonWrongPodAnswered), HaveField("Message", ContainSubstring(free.pod.Name))))
		Expect(gated.proven(ctx)()).To(Equal(corev1.ConditionTrue), "nobody has tampered with the old one")

		By("telling that one is open, all the same")
		free.mount(ctx, server, free.pod.Status.PodIP)
		free.serve(openDoor())
		waitRounds(o, 2)
		o.act(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(And(
			say(metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted), HaveField("Message", ContainSubstring(free.pod.Name))))

		By("taking them up again: the next pods wait for their proof, and those without a gate are what they were made")
		o.builder.Inputs.ReadinessGatesOff = false
		free.mount(ctx, server, free.pod.Status.PodIP)
		for i := range 2 { // What was seen is refuted by two rounds.
			waitRounds(o, 3+i)
			o.act(ctx, server)
		}
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(say(metav1.ConditionTrue, v1alpha1.ReasonProven))
		again := startPod(ctx, server)
		Expect(again.spec.ReadinessGates).To(HaveLen(1))
		waitRounds(o, 5)
		o.act(ctx, server)
		Expect(again.proven(ctx)()).To(Equal(corev1.ConditionTrue))
	})
})
