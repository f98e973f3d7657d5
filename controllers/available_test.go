package controllers_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// takeDown has a container wait for its next start, for a reason.
func takeDown(container *corev1.ContainerStatus, reason string) {
	container.Ready = false
	container.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: "the kubelet's words"}}
}

var _ = Describe("Available", func() {
	// Each row is what a kubelet or a scheduler says of the only pod, and what is made of it.
	DescribeTable("is False and says why, of a pod that",
		func(ctx SpecContext, reason, names string, change func(*corev1.PodStatus)) {
			o := start(testGateImage)
			server := newUnwatched(ctx)
			o.build(ctx, server)
			pod := startPod(ctx, server)
			available(ctx, server, 1, 0)
			pod.update(ctx, change)
			o.build(ctx, server)
			for _, kind := range []string{v1alpha1.ConditionAvailable, v1alpha1.ConditionReady} {
				Expect(condition(ctx, server, kind)()).To(And(say(metav1.ConditionFalse, reason), HaveField("Message", ContainSubstring(names))))
			}
		},
		Entry("has no node", v1alpha1.ReasonUnschedulable, "0/3 nodes are available", func(s *corev1.PodStatus) {
			s.Conditions = append(s.Conditions, corev1.PodCondition{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Message: "0/3 nodes are available."})
		}),
		Entry("has no image", v1alpha1.ReasonContainerCannotStart, "ImagePullBackOff", func(s *corev1.PodStatus) {
			takeDown(&s.ContainerStatuses[0], "ImagePullBackOff")
		}),
		Entry("has another process on the gate's port", v1alpha1.ReasonGatePortTaken, "address already in use", func(s *corev1.PodStatus) {
			takeDown(&s.InitContainerStatuses[0], "CrashLoopBackOff")
			s.InitContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 78, Message: "listen: address already in use"}
		}),
		Entry("was seen open", v1alpha1.ReasonPodsUnavailable, "readiness gate mcp.gatehouse.dev/auth-proven is not True", func(s *corev1.PodStatus) {
			s.Conditions = append(s.Conditions, corev1.PodCondition{Type: v1alpha1.ConditionPodAuthProven, Status: corev1.ConditionFalse})
		}),
	)

	It("is True once all pods serve, and says nothing of their lock", func(ctx SpecContext) {
		o := start(testGateImage)
		server := newUnwatched(ctx)
		o.build(ctx, server)
		pod := startPod(ctx, server)
		pod.update(ctx, func(s *corev1.PodStatus) {
			takeDown(&s.InitContainerStatuses[0], "PodInitializing")
			s.Conditions = nil
		})
		o.act(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(BeNil(), "it has just begun")
		o.prober.Now = func() time.Time { return time.Now().Add(time.Minute) }
		o.act(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionAvailable)()).To(say(metav1.ConditionFalse, v1alpha1.ReasonProgressing))
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(say(metav1.ConditionUnknown, v1alpha1.ReasonNotYetProbed))
		available(ctx, server, 1, 1)
		o.build(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionAvailable)()).To(say(metav1.ConditionTrue, v1alpha1.ReasonPodsAvailable))
		Expect(condition(ctx, server, v1alpha1.ConditionReady)()).To(say(metav1.ConditionUnknown, v1alpha1.ReasonNotYetProbed))
	})
})
